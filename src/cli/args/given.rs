use clap::error::Result;
use clap::parser::ValueSource;
use clap::{ArgMatches, Args, Command, FromArgMatches};

/// `Given` holds arguments, and beside them those that were given, as they were written: another
/// command line needs these, and they must not contradict a run that goes on.
#[derive(Clone)]
pub struct Given<T> {
    /// Arguments as they were parsed.
    pub value: T,
    /// Option and value of each argument that was given, in the order of `--help`; a flag has the
    /// value "".
    pub list: Vec<(String, String)>,
}

impl<T: Args> Given<T> {
    /// Tells whether an option was given.
    pub fn has(&self, option: &str) -> bool {
        self.list.iter().any(|(name, _)| name == option)
    }

    /// Writes the given options as a command line, with a blank before each option.
    pub fn command_line(&self) -> String {
        let options = self.list.iter();
        options.map(|(name, value)| written(name, value)).collect()
    }

    fn list(matches: &ArgMatches) -> Vec<(String, String)> {
        let command = T::augment_args(Command::new(""));
        let given = |id: &str| matches.value_source(id) == Some(ValueSource::CommandLine);
        (command.get_arguments())
            .filter(|argument| given(argument.get_id().as_str()))
            .filter_map(|argument| {
                if !argument.get_action().takes_values() {
                    return Some((format!("--{}", argument.get_long()?), String::new()));
                }
                let values = matches.get_raw(argument.get_id().as_str())?;
                let values: Vec<_> = values.map(|v| v.to_string_lossy()).collect();
                Some((format!("--{}", argument.get_long()?), values.join(",")))
            })
            .collect()
    }
}

/// Writes an option and its value, if it takes one, after a blank.
pub fn written(name: &str, value: &str) -> String {
    match value {
        "" => format!(" {name}"),
        value => format!(" {name} {}", crate::cli::shell::quote(value)),
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

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;
    use crate::cli::args::PartialSpec;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        spec: Given<PartialSpec>,
        #[arg(long, conflicts_with_all = ["NetArgs", "FieldArgs", "SamplingArgs"])]
        from: Option<String>,
    }

    #[test]
    fn values_are_as_they_were_written() {
        let line = "- --nets 1_000 --width 007,5 --inputs=-1;2 --width 3 --sigma-w 1e0";
        let line = Line::try_parse_from(line.split(' ')).unwrap_or_else(|e| panic!("{e}"));
        let want = [
            ("--sigma-w", "1e0"),
            ("--width", "007,5,3"),
            ("--inputs", "-1;2"),
            ("--nets", "1_000"),
        ];
        let want = want.map(|(name, value)| (name.to_string(), value.to_string()));
        assert_eq!(line.spec.list, want);
        assert_eq!(line.spec.value.model.fields.width, Some(vec![7, 5, 3]));
        assert!(line.spec.has("--nets") && !line.spec.has("--seed"));
        assert_eq!(
            line.spec.command_line(),
            " --sigma-w 1e0 --width '007,5,3' --inputs '-1;2' --nets 1_000"
        );
    }

    /// Asserts that each option of a spec is known to all that is derived from the options.
    #[test]
    fn every_option_of_a_spec_contradicts_an_ensemble_that_is_there() {
        let command = PartialSpec::augment_args(Command::new(""));
        let mut options = 0;
        for argument in command.get_arguments() {
            let name = format!("--{}", argument.get_long().unwrap());
            let value = match &name[..] {
                "--arch" => "relu",
                "--activation" => "z",
                "--law-w" | "--law-b" => "uniform",
                "--estimator" => "direct",
                "--tilt" => "none",
                _ => "1",
            };
            let value = if argument.get_action().takes_values() {
                value
            } else {
                ""
            };
            let of = |start: &[&str]| {
                let option = [&name[..], value]
                    .into_iter()
                    .filter(|word| !word.is_empty());
                Line::try_parse_from(start.iter().copied().chain(option))
            };
            let given = of(&["-"]).unwrap_or_else(|e| panic!("{e}")).spec;
            assert_eq!(given.list, [(name.clone(), value.to_string())]);
            assert_eq!(given.command_line(), written(&name, value));
            assert!(of(&["-", "--from", "x"]).is_err(), "{name}");
            options += 1;
        }
        assert!(options > 12);
        assert!(
            Line::try_parse_from(["-", "--from", "x"])
                .unwrap()
                .from
                .is_some()
        );
    }
}
