//! A Parquet file of a list. Its reader waits for the bytes that it asks for, so it runs on a thread of its own.

use std::{collections::VecDeque, ops::Range};

use bytes::Bytes;
use shardlift_core::{failure::Failure, port::ListFiles};
use shardlift_lists::{
    FileChecksum, LineSurvey, ListItem, ListScope, ParquetList, ParquetPosition, RangeSource,
    TableKind,
};
use tokio::sync::{mpsc, oneshot};

use super::list_file::ListFile;

/// How many rows are handed over at once.
const ROWS_AT_ONCE: usize = 1024;
/// How many rows are surveyed at once.
const SURVEYED_AT_ONCE: u64 = 4_096;
/// How much is read at once for a checksum.
const CHUNK_BYTES: u64 = 8 << 20;
/// A file up to this size is read in one request and kept while it is open, since each of its columns takes a request or more
/// otherwise.
const WHOLE_BYTES_MAX: u64 = 8 << 20;

type Row = (ListItem, ParquetPosition);
type Reply = oneshot::Sender<Result<Bytes, Failure>>;

/// What the reader says.
enum FromReader {
    /// It needs these bytes.
    Asks(Range<u64>, Reply),
    /// It has read these rows.
    Rows(VecDeque<Row>),
    /// It has surveyed rows up to there.
    Surveyed(LineSurvey, ParquetPosition),
    /// It is at its end.
    Ends(Result<(), Failure>),
}

/// How a table is read.
pub(super) struct TableReading {
    pub(super) scope: ListScope,
    pub(super) kind: TableKind,
    /// Behind what it is surveyed; nothing where its rows are wanted.
    pub(super) survey: Option<LineSurvey>,
    /// Whether each row is known to name an object.
    pub(super) is_clean: bool,
}

/// A Parquet file of a list.
pub(super) struct TableFile<'a, F> {
    file: ListFile<'a, F>,
    reader: mpsc::Receiver<FromReader>,
    rows: VecDeque<Row>,
    position: ParquetPosition,
}

/// The file as its reader sees it.
struct AskedRanges {
    size_bytes: u64,
    /// All of it, where it is small.
    whole: Option<Bytes>,
    asks: mpsc::Sender<FromReader>,
}

impl RangeSource for AskedRanges {
    fn size_bytes(&self) -> u64 {
        self.size_bytes
    }

    fn read(&self, range: Range<u64>) -> Result<Bytes, Failure> {
        if let Some(whole) = &self.whole {
            return whole.read(range);
        }
        let (reply, replied) = oneshot::channel();
        let asked = self.asks.blocking_send(FromReader::Asks(range, reply));
        let gone = || Failure::invariant("nobody reads the list any more");
        asked.map_err(|_| gone())?;
        replied.blocking_recv().map_err(|_| gone())?
    }
}

impl<'a, F: ListFiles> TableFile<'a, F> {
    /// A file from behind `position`. With a checksum all of it is read once before its first row.
    pub(super) async fn resume(
        file: ListFile<'a, F>,
        reading: TableReading,
        checksum: Option<FileChecksum>,
        position: ParquetPosition,
    ) -> Result<Self, Failure> {
        let size = file.version().size_bytes;
        let mut whole = None;
        if size <= WHOLE_BYTES_MAX {
            whole = Some(Bytes::from(file.read(0..size).await?));
        }
        if let Some(checksum) = checksum {
            check(&file, whole.as_ref(), checksum).await?;
        }
        let (asks, reader) = mpsc::channel(1);
        let source = AskedRanges {
            size_bytes: size,
            whole,
            asks: asks.clone(),
        };
        let name = file.name();
        tokio::task::spawn_blocking(move || {
            let TableReading {
                scope,
                kind,
                survey,
                is_clean,
            } = reading;
            let opened = ParquetList::open(source, &name, scope, kind, position);
            let end = opened.and_then(|list| match survey {
                Some(before) => survey_rows(list.to_survey(), &before, &asks),
                None if is_clean => hand_over(list.of_clean_file(), &asks),
                None => hand_over(list, &asks),
            });
            // Whoever waits for rows has gone if nobody takes this.
            let _ = asks.blocking_send(FromReader::Ends(end));
        });
        Ok(Self {
            file,
            reader,
            rows: VecDeque::new(),
            position,
        })
    }

    /// The next row; nothing behind the last one.
    pub(super) async fn next(&mut self) -> Result<Option<ListItem>, Failure> {
        if !self.has_rows().await? {
            return Ok(None);
        }
        let (item, position) = self.rows.pop_front().ok_or_else(no_row)?;
        self.position = position;
        Ok(Some(item))
    }

    /// The next rows, as many as are at hand, up to `max`; none behind the last one.
    pub(super) async fn next_batch(&mut self, max: usize) -> Result<Vec<ListItem>, Failure> {
        if !self.has_rows().await? {
            return Ok(Vec::new());
        }
        let taken = self.rows.drain(..max.min(self.rows.len()));
        let (items, positions): (Vec<_>, Vec<_>) = taken.unzip();
        self.position = positions.last().copied().ok_or_else(no_row)?;
        Ok(items)
    }

    /// What the next rows are; none behind the last one.
    pub(super) async fn survey_batch(&mut self) -> Result<LineSurvey, Failure> {
        match self.next_read().await? {
            FromReader::Surveyed(lines, position) => {
                self.position = position;
                Ok(lines)
            }
            FromReader::Ends(end) => end.map(|()| LineSurvey::default()),
            FromReader::Rows(_) | FromReader::Asks(..) => Err(no_row()),
        }
    }

    /// Waits for rows; whether any are at hand.
    async fn has_rows(&mut self) -> Result<bool, Failure> {
        while self.rows.is_empty() {
            match self.next_read().await? {
                FromReader::Rows(rows) => self.rows = rows,
                FromReader::Ends(end) => return end.map(|()| false),
                FromReader::Surveyed(..) | FromReader::Asks(..) => return Err(no_row()),
            }
        }
        Ok(true)
    }

    /// What the reader says next, once it has the bytes that it asks for.
    async fn next_read(&mut self) -> Result<FromReader, Failure> {
        loop {
            match self.reader.recv().await {
                Some(FromReader::Asks(range, reply)) => {
                    let read = self.file.read(range).await.map(Bytes::from);
                    // A reader that has gone is noticed above.
                    let _ = reply.send(read);
                }
                Some(said) => return Ok(said),
                None => return Err(Failure::invariant("the reader of the table has gone")),
            }
        }
    }

    pub(super) fn position(&self) -> ParquetPosition {
        self.position
    }

    pub(super) fn file(&self) -> &ListFile<'a, F> {
        &self.file
    }
}

fn no_row() -> Failure {
    Failure::invariant("there was a row of the table at hand")
}

fn hand_over(
    mut list: ParquetList<AskedRanges>,
    to: &mpsc::Sender<FromReader>,
) -> Result<(), Failure> {
    loop {
        let mut rows = VecDeque::with_capacity(ROWS_AT_ONCE);
        while rows.len() < ROWS_AT_ONCE
            && let Some(item) = list.next()?
        {
            rows.push_back((item, list.position()));
        }
        if rows.is_empty() || to.blocking_send(FromReader::Rows(rows)).is_err() {
            return Ok(());
        }
    }
}

fn survey_rows(
    mut list: ParquetList<AskedRanges>,
    before: &LineSurvey,
    to: &mpsc::Sender<FromReader>,
) -> Result<(), Failure> {
    let mut rows = before.next();
    loop {
        list.survey(&mut rows, SURVEYED_AT_ONCE)?;
        let next = rows.next();
        let is_end = rows.lines == 0;
        let surveyed = FromReader::Surveyed(rows, list.position());
        if is_end || to.blocking_send(surveyed).is_err() {
            return Ok(());
        }
        rows = next;
    }
}

/// Compares the checksum of a file, beside this thread.
async fn check<F: ListFiles>(
    file: &ListFile<'_, F>,
    whole: Option<&Bytes>,
    mut checksum: FileChecksum,
) -> Result<(), Failure> {
    let size = file.version().size_bytes;
    let mut read = 0;
    while read < size {
        let bytes = match whole {
            Some(whole) => whole.clone(),
            None => Bytes::from(file.read(read..read + CHUNK_BYTES).await?),
        };
        read += bytes.len() as u64;
        let updated = tokio::task::spawn_blocking(move || {
            checksum.update(&bytes);
            checksum
        });
        checksum = updated.await.map_err(|_| no_row())?;
    }
    checksum.finish(&file.name())
}
