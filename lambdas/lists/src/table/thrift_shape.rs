//! The shape of a struct of Thrift's compact protocol, looked at before the library decodes it: the library reserves a place for
//! each element that a list claims, of up to some hundred bytes, and an element may be a single byte
//! (github.com/apache/thrift/blob/master/doc/specs/thrift-compact-protocol.md).

use parquet::errors::{ParquetError, Result};

/// The longest list: row groups, columns of a row group, nodes of the schema.
const ELEMENTS_MAX: u64 = 65_536;
/// Structs and lists within each other; the schema of Parquet needs six.
const DEPTH_MAX: usize = 16;

/// Walks over the struct at the beginning of `bytes`, and refuses one that is cut off, too deep, or has too long a list.
pub(super) fn check(bytes: &[u8]) -> Result<()> {
    Walk { rest: bytes }.fields(0)
}

struct Walk<'a> {
    rest: &'a [u8],
}

/// The kinds of values, as fields and lists name them.
mod kind {
    pub(super) const TRUE: u8 = 1;
    pub(super) const FALSE: u8 = 2;
    pub(super) const I8: u8 = 3;
    pub(super) const I16: u8 = 4;
    pub(super) const I32: u8 = 5;
    pub(super) const I64: u8 = 6;
    pub(super) const DOUBLE: u8 = 7;
    pub(super) const BINARY: u8 = 8;
    pub(super) const LIST: u8 = 9;
    pub(super) const SET: u8 = 10;
    pub(super) const STRUCT: u8 = 12;
}

impl Walk<'_> {
    fn fields(&mut self, depth: usize) -> Result<()> {
        if depth > DEPTH_MAX {
            return Err(ParquetError::General("a header is nested too deep".into()));
        }
        loop {
            let field = self.byte()?;
            if field == 0 {
                return Ok(());
            }
            // The number of the field follows, unless it is told by the step from the one before.
            if field >> 4 == 0 {
                self.number()?;
            }
            match field & 0x0f {
                // The kind is the value.
                kind::TRUE | kind::FALSE => {}
                kind => self.value(kind, depth + 1)?,
            }
        }
    }

    fn value(&mut self, kind: u8, depth: usize) -> Result<()> {
        match kind {
            kind::TRUE | kind::FALSE | kind::I8 => self.pass(1),
            kind::I16 | kind::I32 | kind::I64 => self.number().map(|_| ()),
            kind::DOUBLE => self.pass(8),
            kind::BINARY => {
                let length = self.number()?;
                self.pass(length)
            }
            kind::LIST | kind::SET => self.elements(depth),
            kind::STRUCT => self.fields(depth),
            // Parquet has no maps.
            other => Err(ParquetError::General(format!(
                "a header has a value of the kind {other}"
            ))),
        }
    }

    fn elements(&mut self, depth: usize) -> Result<()> {
        if depth > DEPTH_MAX {
            return Err(ParquetError::General("a header is nested too deep".into()));
        }
        let begin = self.byte()?;
        let count = match begin >> 4 {
            15 => self.number()?,
            count => u64::from(count),
        };
        if count > ELEMENTS_MAX {
            let problem = format!("a header claims a list of {count} elements");
            return Err(ParquetError::General(problem));
        }
        for _ in 0..count {
            self.value(begin & 0x0f, depth + 1)?;
        }
        Ok(())
    }

    fn byte(&mut self) -> Result<u8> {
        let (first, rest) = self.rest.split_first().ok_or_else(cut_off)?;
        self.rest = rest;
        Ok(*first)
    }

    /// A variable-length number of up to 64 bits.
    fn number(&mut self) -> Result<u64> {
        let mut number = 0;
        for index in 0..10 {
            let byte = self.byte()?;
            number |= u64::from(byte & 0x7f) << (7 * index);
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err(ParquetError::General(
            "a header has a number of more than 64 bits".into(),
        ))
    }

    fn pass(&mut self, bytes: u64) -> Result<()> {
        let bytes = usize::try_from(bytes)
            .ok()
            .filter(|bytes| *bytes <= self.rest.len());
        self.rest = &self.rest[bytes.ok_or_else(cut_off)?..];
        Ok(())
    }
}

fn cut_off() -> ParquetError {
    ParquetError::EOF("a header is cut off".into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn problem(bytes: &[u8]) -> String {
        check(bytes).unwrap_err().to_string()
    }

    #[test]
    fn a_struct_of_every_kind_is_walked_over() {
        // A number, a flag, a text, a list of two structs, a double; then other bytes.
        let good = [
            0x15, 0x02, 0x11, 0x18, 0x01, b'k', 0x19, 0x2c, 0x15, 0x02, 0x00, 0x00, 0x17, 1, 2, 3,
            4, 5, 6, 7, 8, 0x00, 0xff,
        ];
        check(&good).unwrap();
        for end in 0..good.len() - 1 {
            assert!(problem(&good[..end]).contains("cut off"), "{end}");
        }
    }

    #[test]
    fn what_claims_too_much_is_refused_at_once() {
        assert!(problem(&[0x19, 0xfc, 0x81, 0x80, 0x04]).contains("65537 elements"));
        assert!(problem(&[0x18, 0xff, 0xff, 0x7f, 1]).contains("cut off"));
        assert!(problem(&[0x1c; 1000]).contains("nested too deep"));
        assert!(problem(&[0x19; 1000]).contains("nested too deep"));
        assert!(
            problem(
                &[0x15; 1]
                    .iter()
                    .chain(&[0xff; 20])
                    .copied()
                    .collect::<Vec<_>>()
            )
            .contains("64 bits")
        );
        assert!(problem(&[0x1b, 0x01]).contains("kind 11"));
    }
}
