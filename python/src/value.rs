//! A result becomes Python objects through its serialisation, as it becomes JSON: what is an object in JSON is
//! a dict, and a list of numbers is a NumPy array that takes over their memory.

use std::fmt::Display;

use numpy::IntoPyArray;
use numpy::PyArrayMethods;
use pyo3::IntoPyObjectExt;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList};
use serde::ser::{self, Impossible, Serialize};

use crate::list::List;

/// A value is a part of a document on its way to Python.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    Absent,
    Bool(bool),
    Whole(i128),
    Number(f64),
    Text(String),
    List(Vec<Value>),
    Map(Vec<(String, Value)>),
    Wholes(Array<i64>),
    Numbers(Array<f64>),
    Singles(Array<f32>),
    Bools(Array<bool>),
}

/// An array is numbers in C order, and their shape.
#[derive(Debug, Clone, PartialEq)]
pub struct Array<T> {
    pub shape: Vec<usize>,
    pub data: Vec<T>,
}

impl<T: numpy::Element> Array<T> {
    fn into_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        let flat = self.data.into_pyarray(py);
        match self.shape.len() {
            1 => flat.into_py_any(py),
            _ => flat.reshape(self.shape)?.into_py_any(py),
        }
    }
}

impl Value {
    /// Takes what serialises as JSON does.
    pub fn of(document: &impl Serialize) -> Self {
        let value = document.serialize(ToValue);
        value.expect("documents serialise, and this takes everything that they have")
    }

    /// Makes an array of rows of one length.
    pub fn rows(rows: &[Vec<f64>]) -> Self {
        Self::Numbers(Array {
            shape: vec![rows.len(), rows.first().map_or(0, Vec::len)],
            data: rows.concat(),
        })
    }

    /// Returns the Python object.
    pub fn into_python(self, py: Python<'_>) -> PyResult<Py<PyAny>> {
        match self {
            Self::Absent => Ok(py.None()),
            Self::Bool(value) => value.into_py_any(py),
            Self::Whole(value) => value.into_py_any(py),
            Self::Number(value) => value.into_py_any(py),
            Self::Text(value) => value.into_py_any(py),
            Self::Wholes(array) => array.into_python(py),
            Self::Numbers(array) => array.into_python(py),
            Self::Singles(array) => array.into_python(py),
            Self::Bools(array) => array.into_python(py),
            Self::List(values) => {
                let list = PyList::empty(py);
                for value in values {
                    list.append(value.into_python(py)?)?;
                }
                list.into_py_any(py)
            }
            Self::Map(entries) => {
                let dict = PyDict::new(py);
                for (key, value) in entries {
                    dict.set_item(key, value.into_python(py)?)?;
                }
                dict.into_py_any(py)
            }
        }
    }
}

/// A document has something that no value can hold.
#[derive(Debug)]
pub struct Unfit(String);

impl Display for Unfit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

impl std::error::Error for Unfit {}

impl ser::Error for Unfit {
    fn custom<T: Display>(text: T) -> Self {
        Self(text.to_string())
    }
}

/// The serialiser.
struct ToValue;

macro_rules! wholes {
    ($($name:ident: $type:ty,)*) => {
        $(fn $name(self, value: $type) -> Result<Value, Unfit> {
            Ok(Value::Whole(value.into()))
        })*
    };
}

impl ser::Serializer for ToValue {
    type Ok = Value;
    type Error = Unfit;
    type SerializeSeq = List;
    type SerializeTuple = List;
    type SerializeTupleStruct = List;
    type SerializeMap = Entries;
    type SerializeStruct = Entries;
    type SerializeTupleVariant = Impossible<Value, Unfit>;
    type SerializeStructVariant = Impossible<Value, Unfit>;

    wholes! {
        serialize_i8: i8, serialize_i16: i16, serialize_i32: i32, serialize_i64: i64,
        serialize_u8: u8, serialize_u16: u16, serialize_u32: u32, serialize_u64: u64,
    }

    fn serialize_bool(self, value: bool) -> Result<Value, Unfit> {
        Ok(Value::Bool(value))
    }

    fn serialize_f32(self, value: f32) -> Result<Value, Unfit> {
        Ok(Value::Number(value.into()))
    }

    fn serialize_f64(self, value: f64) -> Result<Value, Unfit> {
        Ok(Value::Number(value))
    }

    fn serialize_char(self, value: char) -> Result<Value, Unfit> {
        Ok(Value::Text(value.into()))
    }

    fn serialize_str(self, value: &str) -> Result<Value, Unfit> {
        Ok(Value::Text(value.into()))
    }

    fn serialize_bytes(self, _: &[u8]) -> Result<Value, Unfit> {
        Err(Unfit("bytes".into()))
    }

    fn serialize_none(self) -> Result<Value, Unfit> {
        Ok(Value::Absent)
    }

    fn serialize_some<T: Serialize + ?Sized>(self, value: &T) -> Result<Value, Unfit> {
        value.serialize(self)
    }

    fn serialize_unit(self) -> Result<Value, Unfit> {
        Ok(Value::Absent)
    }

    fn serialize_unit_struct(self, _: &'static str) -> Result<Value, Unfit> {
        Ok(Value::Absent)
    }

    fn serialize_unit_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
    ) -> Result<Value, Unfit> {
        Ok(Value::Text(variant.into()))
    }

    fn serialize_newtype_struct<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        value: &T,
    ) -> Result<Value, Unfit> {
        value.serialize(self)
    }

    fn serialize_newtype_variant<T: Serialize + ?Sized>(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        value: &T,
    ) -> Result<Value, Unfit> {
        Ok(Value::Map(vec![(variant.into(), value.serialize(self)?)]))
    }

    fn serialize_seq(self, length: Option<usize>) -> Result<List, Unfit> {
        Ok(List::with_capacity(length.unwrap_or(0)))
    }

    fn serialize_tuple(self, length: usize) -> Result<List, Unfit> {
        self.serialize_seq(Some(length))
    }

    fn serialize_tuple_struct(self, _: &'static str, length: usize) -> Result<List, Unfit> {
        self.serialize_seq(Some(length))
    }

    fn serialize_map(self, _: Option<usize>) -> Result<Entries, Unfit> {
        Ok(Entries::default())
    }

    fn serialize_struct(self, _: &'static str, _: usize) -> Result<Entries, Unfit> {
        Ok(Entries::default())
    }

    fn serialize_tuple_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeTupleVariant, Unfit> {
        Err(Unfit(variant.into()))
    }

    fn serialize_struct_variant(
        self,
        _: &'static str,
        _: u32,
        variant: &'static str,
        _: usize,
    ) -> Result<Self::SerializeStructVariant, Unfit> {
        Err(Unfit(variant.into()))
    }
}

macro_rules! list {
    ($($trait:ident $add:ident;)*) => {
        $(impl ser::$trait for List {
            type Ok = Value;
            type Error = Unfit;

            fn $add<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
                self.push(value.serialize(ToValue)?);
                Ok(())
            }

            fn end(self) -> Result<Value, Unfit> {
                Ok(self.into_value())
            }
        })*
    };
}

list! {
    SerializeSeq serialize_element;
    SerializeTuple serialize_element;
    SerializeTupleStruct serialize_field;
}

/// The entries of a map, while they come in.
#[derive(Default)]
struct Entries {
    entries: Vec<(String, Value)>,
    key: Option<String>,
}

impl ser::SerializeMap for Entries {
    type Ok = Value;
    type Error = Unfit;

    fn serialize_key<T: Serialize + ?Sized>(&mut self, key: &T) -> Result<(), Unfit> {
        match key.serialize(ToValue)? {
            Value::Text(key) => self.key = Some(key),
            other => return Err(Unfit(format!("a key {other:?}"))),
        }
        Ok(())
    }

    fn serialize_value<T: Serialize + ?Sized>(&mut self, value: &T) -> Result<(), Unfit> {
        let key = self.key.take().expect("a value follows its key");
        self.entries.push((key, value.serialize(ToValue)?));
        Ok(())
    }

    fn end(self) -> Result<Value, Unfit> {
        Ok(Value::Map(self.entries))
    }
}

impl ser::SerializeStruct for Entries {
    type Ok = Value;
    type Error = Unfit;

    fn serialize_field<T: Serialize + ?Sized>(
        &mut self,
        key: &'static str,
        value: &T,
    ) -> Result<(), Unfit> {
        self.entries.push((key.into(), value.serialize(ToValue)?));
        Ok(())
    }

    fn end(self) -> Result<Value, Unfit> {
        Ok(Value::Map(self.entries))
    }
}
