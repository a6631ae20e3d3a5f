//! A census counts what a stage asks of a device, by the text that the device compiles.

use std::collections::HashMap;

use serde::Serialize;
use wgpu::naga::front::wgsl::parse_str;
use wgpu::naga::valid::{Capabilities, FunctionInfo, ModuleInfo, ValidationFlags, Validator};
use wgpu::naga::{
    AddressSpace, BinaryOperator, Block, Expression, Function, Handle, Literal, MathFunction,
    Module, ScalarKind, Statement, TypeInner, UnaryOperator,
};

use super::lives;
use super::template::Text;

/// `Census` holds what one thread does, or the threads of one network: instructions of one lane each, of which a
/// multiplication and the addition that follows are one.
#[derive(Debug, Clone, Copy, Default, PartialEq, Serialize)]
#[non_exhaustive]
pub struct Census {
    /// Number of instructions on floats, among them comparisons and selections.
    pub float: f64,
    /// Number of instructions on integers, among them conversions.
    pub integer: f64,
    /// Number of divisions, roots and exponentials, which devices have few units for.
    pub special: f64,
    /// Bytes read from buffers.
    pub read: f64,
    /// Bytes written to buffers.
    pub written: f64,
    /// Estimate of the registers of a thread: what is alive at a time if a compiler keeps the order of the text.
    pub registers: u32,
}

impl Census {
    /// Adds another census so many times; registers are the most of both.
    pub(super) fn add(&mut self, other: &Self, times: f64) {
        self.float += times * other.float;
        self.integer += times * other.integer;
        self.special += times * other.special;
        self.read += times * other.read;
        self.written += times * other.written;
        self.registers = self.registers.max(other.registers);
    }

    /// Counts the bytes that go to and from buffers.
    pub fn bytes(&self) -> f64 {
        self.read + self.written
    }

    /// Counts the instructions, a special one as four.
    pub fn instructions(&self) -> f64 {
        self.float + self.integer + 4.0 * self.special
    }
}

/// Counts what one thread of a text does, whose loops take so many turns, in the order in which they begin.
///
/// # Panics
/// If the text is no valid WGSL, or has another number of loops.
pub(super) fn count(text: &Text, turns: &[f64]) -> Census {
    let module = parse_str(&text.wgsl).expect("texts are valid WGSL");
    let info = Validator::new(ValidationFlags::all(), Capabilities::empty())
        .validate(&module)
        .expect("texts are valid WGSL");
    let mut counter = Counter {
        module: &module,
        info: &info,
        turns: turns.iter(),
        is_inner: false,
    };
    let (main, of_main) = (&module.entry_points[0].function, info.get_entry_point(0));
    let mut all = Code::new(&module, main, of_main).block(&mut counter, &main.body);
    assert_eq!(
        counter.turns.len(),
        0,
        "{} has fewer than {} loops",
        text.stage,
        turns.len()
    );
    all.registers = lives::registers(&module, &info, main, of_main);
    all
}

struct Counter<'a> {
    module: &'a Module,
    info: &'a ModuleInfo,
    turns: std::slice::Iter<'a, f64>,
    /// Whether this is not the entry point: loops of other functions end after a number of turns in the text.
    is_inner: bool,
}

/// Counts the scalars of a type; pointers and what is larger than a register have none.
pub(super) fn scalars(module: &Module, inner: &TypeInner) -> u32 {
    match inner {
        TypeInner::Scalar(_) => 1,
        TypeInner::Vector { size, .. } => *size as u32,
        TypeInner::Struct { members, .. } => (members.iter())
            .map(|member| scalars(module, &module.types[member.ty].inner))
            .sum(),
        _ => 0,
    }
}

/// `Code` is a function with what its expressions are, and which of them come free with another.
struct Code<'a> {
    module: &'a Module,
    function: &'a Function,
    info: &'a FunctionInfo,
    free: Vec<bool>,
}

impl<'a> Code<'a> {
    fn new(module: &'a Module, function: &'a Function, info: &'a FunctionInfo) -> Self {
        let mut code = Self {
            module,
            function,
            info,
            free: vec![false; function.expressions.len()],
        };
        let mut uses: HashMap<Handle<Expression>, usize> = HashMap::new();
        for (_, expression) in function.expressions.iter() {
            for operand in lives::operands(expression) {
                *uses.entry(operand).or_default() += 1;
            }
        }
        for (_, expression) in function.expressions.iter() {
            let Expression::Binary { op, left, right } = expression else {
                continue;
            };
            let is = |e: Handle<Expression>, wanted: BinaryOperator| matches!(&function.expressions[e], Expression::Binary { op, .. } if *op == wanted);
            match op {
                // A multiplication whose only use is a sum.
                BinaryOperator::Add | BinaryOperator::Subtract if code.is_float(*left) => {
                    let fused = [*right, *left]
                        .into_iter()
                        .find(|&e| is(e, BinaryOperator::Multiply) && uses[&e] == 1);
                    if let Some(product) = fused {
                        code.free[product.index()] = true;
                    }
                }
                // Two shifts that make a rotation.
                BinaryOperator::InclusiveOr
                    if is(*left, BinaryOperator::ShiftLeft)
                        && is(*right, BinaryOperator::ShiftRight) =>
                {
                    code.free[left.index()] = true;
                    code.free[right.index()] = true;
                }
                _ => {}
            }
        }
        code
    }

    fn inner(&self, e: Handle<Expression>) -> &'a TypeInner {
        self.info[e].ty.inner_with(&self.module.types)
    }

    fn lanes(&self, e: Handle<Expression>) -> f64 {
        scalars(self.module, self.inner(e)).into()
    }

    fn is_float(&self, e: Handle<Expression>) -> bool {
        match self.inner(e) {
            TypeInner::Scalar(scalar) | TypeInner::Vector { scalar, .. } => {
                scalar.kind == ScalarKind::Float
            }
            _ => false,
        }
    }

    /// Tells whether a pointer is into a buffer that shaders write, or read at will.
    fn is_buffer(&self, pointer: Handle<Expression>) -> bool {
        let space = match self.inner(pointer) {
            TypeInner::Pointer { space, .. } | TypeInner::ValuePointer { space, .. } => *space,
            _ => AddressSpace::Function,
        };
        matches!(space, AddressSpace::Storage { .. })
    }

    fn block(&self, counter: &mut Counter, block: &Block) -> Census {
        let mut all = Census::default();
        for statement in block.iter() {
            match statement {
                Statement::Emit(range) => {
                    for e in range.clone() {
                        all.add(&self.expression(e), 1.0);
                    }
                }
                Statement::Block(inner) => all.add(&self.block(counter, inner), 1.0),
                Statement::If { accept, reject, .. } => {
                    all.add(&self.block(counter, accept), 1.0);
                    all.add(&self.block(counter, reject), 1.0);
                }
                Statement::Loop {
                    body, continuing, ..
                } => {
                    let turns = match counter.is_inner {
                        true => self.turns(body),
                        false => *counter.turns.next().expect("turns for every loop"),
                    };
                    let mut turn = self.block(counter, body);
                    turn.add(&self.block(counter, continuing), 1.0);
                    // The jump.
                    turn.integer += 1.0;
                    all.add(&turn, turns);
                }
                Statement::Call { function, .. } => {
                    let callee = &counter.module.functions[*function];
                    let code = Code::new(counter.module, callee, &counter.info[*function]);
                    let before = std::mem::replace(&mut counter.is_inner, true);
                    all.add(&code.block(counter, &callee.body), 1.0);
                    counter.is_inner = before;
                }
                Statement::Store { pointer, value } if self.is_buffer(*pointer) => {
                    all.written += 4.0 * self.lanes(*value);
                }
                _ => {}
            }
        }
        all
    }

    /// Returns the turns of a loop that counts from zero to a number of the text.
    fn turns(&self, body: &Block) -> f64 {
        let end = body.iter().find_map(|statement| match statement {
            Statement::If { condition, .. } => match &self.function.expressions[*condition] {
                Expression::Binary {
                    op: BinaryOperator::GreaterEqual,
                    right,
                    ..
                } => match &self.function.expressions[*right] {
                    Expression::Literal(Literal::U32(end)) => Some(*end),
                    _ => None,
                },
                _ => None,
            },
            _ => None,
        });
        end.expect("functions loop so many times").into()
    }

    fn expression(&self, e: Handle<Expression>) -> Census {
        let mut all = Census::default();
        if self.free[e.index()] {
            return all;
        }
        let lanes = self.lanes(e);
        let is_literal = |e: Handle<Expression>| {
            matches!(
                &self.function.expressions[e],
                Expression::Literal(Literal::U32(_) | Literal::I32(_))
            )
        };
        match &self.function.expressions[e] {
            Expression::Binary { op, left, right } => match op {
                BinaryOperator::Divide | BinaryOperator::Modulo if self.is_float(*left) => {
                    all.special += lanes;
                    all.float += lanes;
                }
                // By constants they are shifts or products.
                BinaryOperator::Divide | BinaryOperator::Modulo => {
                    all.integer += lanes * if is_literal(*right) { 1.0 } else { 16.0 };
                }
                // The rest of a rotation by a constant.
                BinaryOperator::Subtract if is_literal(*left) => {}
                _ if self.is_float(*left) => all.float += lanes,
                _ => all.integer += lanes,
            },
            Expression::Unary { op, expr } => match op {
                UnaryOperator::Negate if self.is_float(*expr) => {}
                _ => all.integer += lanes,
            },
            Expression::Select { .. } => all.float += lanes,
            Expression::Math { fun, arg, .. } => match fun {
                MathFunction::Dot => all.float += self.lanes(*arg),
                MathFunction::Abs => {}
                MathFunction::Sqrt
                | MathFunction::InverseSqrt
                | MathFunction::Exp
                | MathFunction::Exp2
                | MathFunction::Log
                | MathFunction::Log2 => {
                    all.special += lanes;
                    all.float += lanes;
                }
                _ => all.float += lanes,
            },
            Expression::As {
                convert: Some(_), ..
            } => all.integer += lanes,
            Expression::Load { pointer } if self.is_buffer(*pointer) => all.read += 4.0 * lanes,
            _ => {}
        }
        all
    }
}
