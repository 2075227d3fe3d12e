//! Functions as text on their way to machine code, for dumps.

use cranelift::prelude::*;
use cranelift_module::{Linkage, Module};

use super::CodegenError;
use super::check::check;
use super::emit::emit_function;
use super::jit::{backend, new_module};
use super::sizes::SizeTable;
use crate::ir::op::Function;

/// How far towards machine code a `listing` is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Listing {
    /// Cranelift's intermediate language, before its passes.
    Clif,
    /// Instructions of this machine.
    Assembly,
}

/// The text of functions, in order.
///
/// # Errors
/// As for `compile`.
pub fn listing(
    functions: &[&Function],
    sizes: &SizeTable,
    what: Listing,
) -> Result<String, CodegenError> {
    let mut module = new_module()?;
    let mut signature = module.make_signature();
    signature.params.push(AbiParam::new(types::I64));
    let mut context = module.make_context();
    context.set_disasm(what == Listing::Assembly);
    let mut builder_context = FunctionBuilderContext::new();
    let mut text = String::new();
    for (position, function) in functions.iter().enumerate() {
        check(function, sizes)?;
        let id = module
            .declare_function(&format!("function_{position}"), Linkage::Export, &signature)
            .map_err(backend)?;
        context.func.signature = signature.clone();
        let builder = FunctionBuilder::new(&mut context.func, &mut builder_context);
        emit_function(builder, &mut module, sizes, function)?;
        let body = match what {
            Listing::Clif => context.func.display().to_string(),
            Listing::Assembly => {
                module.define_function(id, &mut context).map_err(backend)?;
                let code = context.compiled_code().and_then(|code| code.vcode.clone());
                code.unwrap_or_default()
            }
        };
        text.push_str(&format!("; {}\n{body}\n", function.name));
        module.clear_context(&mut context);
        context.set_disasm(what == Listing::Assembly);
    }
    Ok(text)
}
