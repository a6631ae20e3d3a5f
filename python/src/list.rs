//! A list of numbers is an array: whole numbers as int64, others as float64, with NaN for those that are absent;
//! rows of one length make a matrix. `_arrays` in `nnqft/_document.py` has the same rule for lists of JSON.

use crate::value::{Array, Value};

/// A list while its values come in: of one kind as long as that goes well.
pub struct List {
    items: Items,
    /// Shape of every item.
    inner: Vec<usize>,
    length: usize,
    capacity: usize,
}

enum Items {
    Empty,
    Wholes(Vec<i64>),
    Numbers(Vec<f64>),
    Bools(Vec<bool>),
    Any(Vec<Value>),
}

/// The numbers of one item, and its shape.
enum Item {
    Wholes(Vec<i64>),
    Numbers(Vec<f64>),
    Bools(Vec<bool>),
}

impl List {
    pub fn with_capacity(capacity: usize) -> Self {
        Self {
            items: Items::Empty,
            inner: Vec::new(),
            length: 0,
            capacity,
        }
    }

    pub fn push(&mut self, value: Value) {
        self.length += 1;
        match (&mut self.items, value) {
            // The common cases, without a vector of one.
            (Items::Numbers(all), Value::Number(x)) if self.inner.is_empty() => all.push(x),
            (Items::Numbers(all), Value::Absent) if self.inner.is_empty() => all.push(f64::NAN),
            (Items::Any(all), value) => all.push(value),
            (_, value) => self.push_item(value),
        }
    }

    fn push_item(&mut self, value: Value) {
        let (item, shape) = match value {
            Value::Absent => (Item::Numbers(vec![f64::NAN]), Vec::new()),
            Value::Number(x) => (Item::Numbers(vec![x]), Vec::new()),
            Value::Bool(x) => (Item::Bools(vec![x]), Vec::new()),
            Value::Whole(x) if i64::try_from(x).is_ok() => {
                (Item::Wholes(vec![x as i64]), Vec::new())
            }
            Value::Numbers(array) => (Item::Numbers(array.data), array.shape),
            Value::Wholes(array) => (Item::Wholes(array.data), array.shape),
            Value::Bools(array) => (Item::Bools(array.data), array.shape),
            other => return self.give_up(other),
        };
        if matches!(self.items, Items::Empty) {
            let room = self.capacity * shape.iter().product::<usize>();
            self.inner.clone_from(&shape);
            self.items = match item {
                Item::Wholes(_) => Items::Wholes(Vec::with_capacity(room)),
                Item::Numbers(_) => Items::Numbers(Vec::with_capacity(room)),
                Item::Bools(_) => Items::Bools(Vec::with_capacity(room)),
            };
        }
        if self.inner != shape {
            return self.give_up(item.into_value(shape));
        }
        let floats = |all: &[i64]| all.iter().map(|&x| x as f64).collect::<Vec<f64>>();
        match (&mut self.items, item) {
            (Items::Wholes(all), Item::Wholes(more)) => all.extend(more),
            (Items::Numbers(all), Item::Numbers(more)) => all.extend(more),
            (Items::Numbers(all), Item::Wholes(more)) => all.extend(floats(&more)),
            (Items::Wholes(all), Item::Numbers(more)) => {
                let mut all = floats(all);
                all.extend(more);
                self.items = Items::Numbers(all);
            }
            (Items::Bools(all), Item::Bools(more)) => all.extend(more),
            (_, item) => self.give_up(item.into_value(shape)),
        }
    }

    /// Goes on as a list of anything, the last of it this value.
    fn give_up(&mut self, last: Value) {
        let inner = std::mem::take(&mut self.inner);
        let size = inner.iter().product::<usize>().max(1);
        let value = |item: Item| item.into_value(inner.clone());
        let mut all: Vec<Value> = match std::mem::replace(&mut self.items, Items::Empty) {
            Items::Empty => Vec::new(),
            Items::Wholes(all) => (all.chunks(size))
                .map(|x| value(Item::Wholes(x.into())))
                .collect(),
            Items::Numbers(all) => (all.chunks(size))
                .map(|x| value(Item::Numbers(x.into())))
                .collect(),
            Items::Bools(all) => (all.chunks(size))
                .map(|x| value(Item::Bools(x.into())))
                .collect(),
            Items::Any(all) => all,
        };
        all.push(last);
        self.items = Items::Any(all);
    }

    pub fn into_value(self) -> Value {
        let mut shape = vec![self.length];
        shape.extend(&self.inner);
        match self.items {
            Items::Empty => Value::List(Vec::new()),
            Items::Wholes(data) => Value::Wholes(Array { shape, data }),
            Items::Numbers(data) => Value::Numbers(Array { shape, data }),
            Items::Bools(data) => Value::Bools(Array { shape, data }),
            Items::Any(values) => Value::List(values),
        }
    }
}

impl Item {
    /// Returns the item as it came.
    fn into_value(self, shape: Vec<usize>) -> Value {
        match (self, &shape[..]) {
            (Self::Wholes(x), []) => Value::Whole(x[0].into()),
            (Self::Numbers(x), []) if x[0].is_nan() => Value::Absent,
            (Self::Numbers(x), []) => Value::Number(x[0]),
            (Self::Bools(x), []) => Value::Bool(x[0]),
            (Self::Wholes(data), _) => Value::Wholes(Array { shape, data }),
            (Self::Numbers(data), _) => Value::Numbers(Array { shape, data }),
            (Self::Bools(data), _) => Value::Bools(Array { shape, data }),
        }
    }
}
