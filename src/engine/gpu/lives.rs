//! Values of a shader live from where they are made to where they are used last; those alive at a time are an
//! estimate of a thread's registers.

use std::collections::HashMap;

use wgpu::naga::valid::{FunctionInfo, ModuleInfo};
use wgpu::naga::{Block, Expression, Function, Handle, LocalVariable, Module, Statement};

use super::census::scalars;

/// Registers that a compiler takes for addresses and counters of its own.
const OF_COMPILER: u32 = 8;

/// Lists the expressions that one takes.
pub fn operands(expression: &Expression) -> Vec<Handle<Expression>> {
    match expression {
        Expression::Compose { components, .. } => components.clone(),
        Expression::Access { base, index } => vec![*base, *index],
        Expression::AccessIndex { base, .. } => vec![*base],
        Expression::Splat { value, .. } => vec![*value],
        Expression::Swizzle { vector, .. } => vec![*vector],
        Expression::Load { pointer } => vec![*pointer],
        Expression::Unary { expr, .. } | Expression::As { expr, .. } => vec![*expr],
        Expression::Binary { left, right, .. } => vec![*left, *right],
        Expression::Select {
            condition,
            accept,
            reject,
        } => vec![*condition, *accept, *reject],
        Expression::Relational { argument, .. } => vec![*argument],
        Expression::Math {
            arg,
            arg1,
            arg2,
            arg3,
            ..
        } => (std::iter::once(*arg))
            .chain([*arg1, *arg2, *arg3].into_iter().flatten())
            .collect(),
        // What else there is takes none, or is in no text of ours.
        _ => Vec::new(),
    }
}

/// Estimates the registers of a thread of a function.
pub fn registers(
    module: &Module,
    info: &ModuleInfo,
    function: &Function,
    of_function: &FunctionInfo,
) -> u32 {
    OF_COMPILER + Lives::new(module, info, function, of_function).most()
}

#[derive(Clone, Copy, PartialEq, Eq, Hash)]
enum Value {
    Expression(Handle<Expression>),
    Local(Handle<LocalVariable>),
}

struct Lives<'a> {
    module: &'a Module,
    info: &'a ModuleInfo,
    function: &'a Function,
    of_function: &'a FunctionInfo,
    at: usize,
    /// First and last place of each value, and its registers.
    spans: HashMap<Value, (usize, usize, u32)>,
    loops: Vec<(usize, usize)>,
    /// What functions take that are called at a place.
    calls: Vec<(usize, u32)>,
}

impl<'a> Lives<'a> {
    fn new(
        module: &'a Module,
        info: &'a ModuleInfo,
        function: &'a Function,
        of_function: &'a FunctionInfo,
    ) -> Self {
        let mut lives = Self {
            module,
            info,
            function,
            of_function,
            at: 0,
            spans: HashMap::new(),
            loops: Vec::new(),
            calls: Vec::new(),
        };
        lives.block(&function.body);
        lives
    }

    fn touch(&mut self, value: Value, registers: u32) {
        let at = self.at;
        let span = self.spans.entry(value).or_insert((at, at, registers));
        span.1 = at;
    }

    fn define(&mut self, e: Handle<Expression>) {
        let inner = self.of_function[e].ty.inner_with(&self.module.types);
        let registers = scalars(self.module, inner);
        if registers > 0 {
            self.touch(Value::Expression(e), registers);
        }
    }

    /// Extends the life of what an expression stands for to the place reached.
    fn take(&mut self, e: Handle<Expression>) {
        match &self.function.expressions[e] {
            Expression::LocalVariable(local) => {
                let ty = &self.module.types[self.function.local_variables[*local].ty];
                self.touch(Value::Local(*local), scalars(self.module, &ty.inner));
            }
            Expression::Access { base, .. } | Expression::AccessIndex { base, .. } => {
                let base = *base;
                match self.spans.contains_key(&Value::Expression(e)) {
                    true => self.define(e),
                    false => self.take(base),
                }
            }
            _ if self.spans.contains_key(&Value::Expression(e)) => self.define(e),
            _ => {}
        }
    }

    fn block(&mut self, block: &Block) {
        for statement in block.iter() {
            self.at += 1;
            match statement {
                Statement::Emit(range) => {
                    for e in range.clone() {
                        self.at += 1;
                        for operand in operands(&self.function.expressions[e]) {
                            self.take(operand);
                        }
                        self.define(e);
                    }
                }
                Statement::Block(inner) => self.block(inner),
                Statement::If {
                    condition,
                    accept,
                    reject,
                } => {
                    self.take(*condition);
                    self.block(accept);
                    self.block(reject);
                }
                Statement::Loop {
                    body, continuing, ..
                } => {
                    let start = self.at;
                    self.block(body);
                    self.block(continuing);
                    self.loops.push((start, self.at));
                }
                Statement::Store { pointer, value } => {
                    self.take(*value);
                    self.take(*pointer);
                }
                Statement::Call {
                    function,
                    arguments,
                    result,
                } => {
                    arguments.iter().for_each(|e| self.take(*e));
                    let callee = &self.module.functions[*function];
                    let inner = Lives::new(self.module, self.info, callee, &self.info[*function]);
                    self.calls.push((self.at, inner.most()));
                    if let Some(result) = result {
                        self.define(*result);
                    }
                }
                Statement::Return { value: Some(value) } => self.take(*value),
                _ => {}
            }
        }
    }

    /// Tells whether a value is a variable that the function begins with.
    fn is_initialised(&self, value: Value) -> bool {
        match value {
            Value::Local(local) => self.function.local_variables[local].init.is_some(),
            Value::Expression(_) => false,
        }
    }

    /// Returns the most registers in use at a time.
    fn most(&self) -> u32 {
        let mut change = vec![0i64; self.at + 2];
        for (value, &(first, last, registers)) in &self.spans {
            // What has a value from the start is there before the loops that it is used in.
            let first = match self.is_initialised(*value) {
                true => (self.loops.iter())
                    .filter(|(start, end)| (*start..=*end).contains(&first))
                    .fold(first, |first, (start, _)| first.min(*start)),
                false => first,
            };
            // What comes from before a loop and is used in it lives until its end.
            let last = (self.loops.iter())
                .filter(|(start, end)| first <= *start && (*start..=*end).contains(&last))
                .fold(last, |last, (_, end)| last.max(*end));
            change[first] += i64::from(registers);
            change[last + 1] -= i64::from(registers);
        }
        let mut alive = 0;
        let at_each: Vec<u32> = (change.iter())
            .map(|change| {
                alive += change;
                alive as u32
            })
            .collect();
        let of_calls = self.calls.iter().map(|&(at, inner)| at_each[at] + inner);
        at_each.iter().copied().chain(of_calls).max().unwrap_or(0)
    }
}
