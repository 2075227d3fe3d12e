//! The few words at the primary place of a diagnostic that says nothing more particular there.

use crate::diagnostic::Code;

/// What is the matter at the place itself.
pub(super) fn remark(code: Code) -> &'static str {
    match code {
        Code::UnknownName | Code::UnknownFunction | Code::UnknownDistribution => "not known",
        Code::DuplicateName => "declared again",
        Code::UsedBeforeDeclared => "not declared yet",
        Code::KeyNotDatum => "not a value of the branch",
        Code::BranchIndex => "no index is needed",
        Code::BranchLoop => "nothing to count",
        Code::BranchInGlobal | Code::BranchInWholeData => "one for each branch",
        Code::AcrossBranches => "another branch",
        Code::FunctionScope => "not the function's own",
        Code::FunctionOrder => "not defined above",
        Code::FunctionType => "not of the right type",
        Code::NoReturn => "no value",
        Code::RandomCall => "draws",
        Code::SliceSize => "how large is it?",
        Code::WideUniform | Code::VagueGamma => "a habit",
        Code::Missing => "which cells are there?",
        Code::UnknownInData => "not known when data are loaded",
        Code::DataCycle => "computed from itself",
        Code::NoBranch => "no `branch` in it",
        Code::SecondBranch | Code::NestedBranch => "another `branch`",
        Code::DataSource => "no values to be found",
        Code::RowsFirst => "rows come first",
        Code::DataBound => "not a number or a datum",
        Code::BadType | Code::Operands | Code::ArgumentTypes | Code::OutcomeType => {
            "not of the right type"
        }
        Code::SizeExpression | Code::LocalSize => "not a size that all branches share",
        Code::SizeMismatch => "sizes differ",
        Code::TypeMismatch => "another type",
        Code::PerRowValue => "one value for each row",
        Code::Index => "not a subscript here",
        Code::IndexUnknown => "depends on an unknown",
        Code::IndexRange | Code::ArgumentRange => "out of range",
        Code::IntegerDivision => "rounds towards zero",
        Code::DiscreteUnknown => "a whole number",
        Code::LoopBound => "how large is it?",
        Code::Assignment => "cannot be assigned",
        Code::ArgumentCount => "not as many arguments",
        Code::ArgumentSupport => "may be out of range",
        Code::DensityBar => "one bar, after the outcome",
        Code::DensityName => "another name is meant",
        Code::OutcomeSupport => "declared too wide",
        Code::SampleLeft => "cannot have a distribution",
        Code::GlobalInLocal | Code::WholeDataInLocal | Code::TargetOfGlobals => {
            "would count once per branch"
        }
        Code::NoPrior | Code::FlatPrior => "no distribution",
        Code::DoubledPrior => "a second distribution",
        Code::Unused => "never used",
        Code::NonlinearLeft => "not linear",
        Code::TruncatedPrior => "cut off by its bound",
        Code::RowOrder => "depends on the order of rows",
        Code::Discontinuous => "jumps",
        Code::NotYet => "not in this version",
        _ => "here",
    }
}
