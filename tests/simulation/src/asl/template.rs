//! Reference paths, payload templates and intrinsic functions: those that the definition uses, and no others.

use serde_json::{Map, Value};

/// The data that paths read: `$` and `$$`.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scope<'a> {
    pub(super) input: &'a Value,
    pub(super) context: &'a Value,
}

impl Scope<'_> {
    /// What a path names; nothing where nothing is there.
    pub(super) fn find(&self, path: &str) -> Result<Option<Value>, String> {
        let (root, rest) = match path.strip_prefix("$$") {
            Some(rest) => (self.context, rest),
            None => match path.strip_prefix('$') {
                Some(rest) => (self.input, rest),
                None => return Err(format!("{path} is no path")),
            },
        };
        let mut found = Some(root);
        for field in fields(rest)? {
            found = found.and_then(|value| value.get(field));
        }
        Ok(found.cloned())
    }

    /// What a path names. A missing one ends an execution (`States.Runtime`).
    pub(super) fn get(&self, path: &str) -> Result<Value, String> {
        self.find(path)?
            .ok_or_else(|| format!("States.Runtime: {path} is missing"))
    }

    /// A payload template: fields that end in `.$` are evaluated, everything else stands for itself.
    pub(super) fn fill(&self, template: &Value) -> Result<Value, String> {
        let Value::Object(fields) = template else {
            return Ok(template.clone());
        };
        let mut filled = Map::new();
        for (name, value) in fields {
            match (name.strip_suffix(".$"), value) {
                (Some(name), Value::String(expression)) => {
                    filled.insert(name.to_owned(), self.evaluate(expression)?);
                }
                (Some(_), _) => return Err(format!("{name} is no expression")),
                (None, value) => {
                    filled.insert(name.clone(), self.fill(value)?);
                }
            }
        }
        Ok(Value::Object(filled))
    }

    fn evaluate(&self, expression: &str) -> Result<Value, String> {
        if expression.starts_with('$') {
            return self.get(expression);
        }
        let (name, rest) = expression
            .split_once('(')
            .ok_or_else(|| format!("{expression} is neither a path nor a function"))?;
        let inside = rest
            .strip_suffix(')')
            .ok_or_else(|| format!("{expression} does not end"))?;
        let arguments: Vec<Value> = split(inside)?
            .iter()
            .map(|argument| self.argument(argument))
            .collect::<Result<_, _>>()?;
        match (name, arguments.as_slice()) {
            ("States.Format", [Value::String(format), values @ ..]) => {
                interpolate(format, values).map(Value::String)
            }
            ("States.JsonToString", [value]) => Ok(Value::String(value.to_string())),
            _ => Err(format!("the function {name} is not simulated")),
        }
    }

    fn argument(&self, text: &str) -> Result<Value, String> {
        match text.strip_prefix('\'') {
            Some(quoted) => {
                let quoted = quoted.strip_suffix('\'').ok_or("a text does not end")?;
                Ok(Value::String(quoted.to_owned()))
            }
            None => self.evaluate(text),
        }
    }
}

/// Puts a result into the input: all of it for `$`, one field of it for `$.field`, nothing for null.
pub(super) fn place(input: Value, path: Option<&str>, result: Value) -> Result<Value, String> {
    let Some(path) = path else { return Ok(input) };
    if path == "$" {
        return Ok(result);
    }
    let (mut output, fields) = (input, fields(&path[1..])?);
    match (fields.as_slice(), output.as_object_mut()) {
        ([field], Some(object)) => {
            object.insert((*field).to_owned(), result);
            Ok(output)
        }
        _ => Err(format!("the ResultPath {path} is not simulated")),
    }
}

fn fields(path: &str) -> Result<Vec<&str>, String> {
    if path.is_empty() {
        return Ok(Vec::new());
    }
    let fields: Vec<&str> = path
        .strip_prefix('.')
        .ok_or_else(|| format!("the path {path} is not simulated"))?
        .split('.')
        .collect();
    let is_plain = |field: &&str| {
        let is_allowed = |c: char| c.is_ascii_alphanumeric() || c == '_';
        !field.is_empty() && field.chars().all(is_allowed)
    };
    if fields.iter().all(is_plain) {
        Ok(fields)
    } else {
        Err(format!("the path {path} is not simulated"))
    }
}

/// The arguments of a function: commas within quotes and parentheses do not separate.
fn split(inside: &str) -> Result<Vec<String>, String> {
    let (mut arguments, mut argument) = (Vec::new(), String::new());
    let (mut depth, mut is_quoted) = (0_u32, false);
    for character in inside.chars() {
        match character {
            '\\' => return Err("escapes in intrinsic functions are not simulated".to_owned()),
            '\'' => is_quoted = !is_quoted,
            '(' if !is_quoted => depth += 1,
            ')' if !is_quoted => depth = depth.checked_sub(1).ok_or("a parenthesis too many")?,
            _ => {}
        }
        if character == ',' && depth == 0 && !is_quoted {
            arguments.push(std::mem::take(&mut argument));
        } else {
            argument.push(character);
        }
    }
    arguments.push(argument);
    let trimmed = arguments
        .iter()
        .map(|argument| argument.trim().to_owned())
        .collect();
    Ok(trimmed)
}

fn interpolate(format: &str, values: &[Value]) -> Result<String, String> {
    let pieces: Vec<&str> = format.split("{}").collect();
    if pieces.len() != values.len() + 1 {
        return Err(format!("States.Runtime: {format} has other arguments"));
    }
    let mut text = pieces[0].to_owned();
    for (value, piece) in values.iter().zip(&pieces[1..]) {
        match value {
            Value::String(value) => text.push_str(value),
            Value::Array(_) | Value::Object(_) => {
                return Err("States.Runtime: States.Format takes no object".to_owned());
            }
            other => text.push_str(&other.to_string()),
        }
        text.push_str(piece);
    }
    Ok(text)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn templates_are_filled_from_paths_and_functions() {
        let (input, context) = (
            json!({"run": {"id": "n-1"}, "problem": null}),
            json!({"Name": "n"}),
        );
        let scope = Scope {
            input: &input,
            context: &context,
        };
        let filled = scope.fill(&json!({
            "id.$": "$.run.id", "name.$": "$$.Name", "plain": {"deep.$": "$.problem"},
            "text.$": "States.Format('a, {} of {}', $.run.id, States.JsonToString($.run))",
        }));
        assert_eq!(
            filled.unwrap(),
            json!({"id": "n-1", "name": "n", "plain": {"deep": null}, "text": "a, n-1 of {\"id\":\"n-1\"}"})
        );
        for unknown in ["States.UUID()", "$.run[0]", "$..id", "$.missing", "plain"] {
            assert!(scope.fill(&json!({"x.$": unknown})).is_err(), "{unknown}");
        }
    }

    #[test]
    fn a_result_is_placed_where_its_path_says() {
        let input = json!({"a": 1});
        assert_eq!(place(input.clone(), None, json!(2)).unwrap(), input);
        assert_eq!(place(input.clone(), Some("$"), json!(2)).unwrap(), json!(2));
        let placed = place(input.clone(), Some("$.b"), json!(2)).unwrap();
        assert_eq!(placed, json!({"a": 1, "b": 2}));
        assert!(place(input, Some("$.b.c"), json!(2)).is_err());
    }
}
