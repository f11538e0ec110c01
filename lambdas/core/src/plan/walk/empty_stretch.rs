//! What a walk does where a listing shows nothing for long.

use super::RangeWalk;

impl RangeWalk {
    /// Moves the checkpoint over a stretch without any object, such as keys of which delete markers are left alone. There
    /// may be millions, and the next invocation shall not list them again.
    pub(super) fn pass_nothing(&mut self) {
        let Some(at_source) = self.source.taken_through() else {
            return;
        };
        let at_target = match &self.target {
            None => None,
            Some(target) if target.is_exhausted() => None,
            Some(target) => match target.front() {
                Some((front, _)) if front > at_source => None,
                Some(_) => return,
                None => match target.taken_through() {
                    Some(through) => Some(through),
                    None => return,
                },
            },
        };
        let through = at_target.map_or(at_source, |at_target| at_target.min(at_source));
        if self
            .through()
            .is_none_or(|passed| passed.as_str() < through)
        {
            let through = through.to_owned();
            self.count_looks(Some(&through));
            self.chunk.pass(&through);
            self.has_moved = true;
        }
    }
}
