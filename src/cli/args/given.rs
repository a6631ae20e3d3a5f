use clap::error::Result;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

/// Arguments, and beside them those that were given, as they were written: what another command
/// line needs, and what must not contradict a run that goes on.
#[derive(Clone)]
pub struct Given<T> {
    /// The arguments.
    pub value: T,
    /// Option and value of each that was given, in the order of `--help`.
    pub list: Vec<(String, String)>,
}

impl<T: Args> Given<T> {
    /// Whether an option is among them.
    pub fn has(&self, option: &str) -> bool {
        self.list.iter().any(|(name, _)| name == option)
    }

    /// As a command line, with a blank before each option.
    pub fn command_line(&self) -> String {
        let options = self.list.iter();
        (options.map(|(name, value)| format!(" {name} {}", crate::cli::quote(value)))).collect()
    }

    fn list(matches: &ArgMatches) -> Vec<(String, String)> {
        let command = T::augment_args(Command::new(""));
        let given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        (command.get_arguments())
            .filter(|argument| given(argument.get_id().as_str()))
            .filter_map(|argument| {
                let values = matches.get_raw(argument.get_id().as_str())?;
                let values: Vec<_> = values.map(|v| v.to_string_lossy()).collect();
                Some((format!("--{}", argument.get_long()?), values.join(",")))
            })
            .collect()
    }
}

impl<T: Args> FromArgMatches for Given<T> {
    fn from_arg_matches(matches: &ArgMatches) -> Result<Self> {
        Ok(Self {
            list: Self::list(matches),
            value: T::from_arg_matches(matches)?,
        })
    }

    fn from_arg_matches_mut(matches: &mut ArgMatches) -> Result<Self> {
        Ok(Self {
            // Before they are moved out.
            list: Self::list(matches),
            value: T::from_arg_matches_mut(matches)?,
        })
    }

    fn update_from_arg_matches(&mut self, matches: &ArgMatches) -> Result<()> {
        self.list = Self::list(matches);
        self.value.update_from_arg_matches(matches)
    }
}

impl<T: Args> Args for Given<T> {
    fn group_id() -> Option<clap::Id> {
        T::group_id()
    }

    fn augment_args(command: Command) -> Command {
        T::augment_args(command)
    }

    fn augment_args_for_update(command: Command) -> Command {
        T::augment_args_for_update(command)
    }
}
