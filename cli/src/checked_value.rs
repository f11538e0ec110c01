//! Values of arguments, checked by the domain.

/// A parser of arguments from a constructor of the domain.
pub(crate) fn checked<T: Clone + Send + Sync + 'static, E: std::fmt::Display + 'static>(
    new: fn(String) -> Result<T, E>,
) -> impl Fn(&str) -> Result<T, String> + Clone + Send + Sync + 'static {
    move |text: &str| new(text.to_owned()).map_err(|invalid| invalid.to_string())
}
