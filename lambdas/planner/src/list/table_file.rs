//! A Parquet file of a list. Its reader waits for the bytes that it asks for, so it runs on a thread of its own.

use std::{collections::VecDeque, ops::Range};

use bytes::Bytes;
use shardlift_core::{failure::Failure, port::ListFiles};
use shardlift_lists::{
    FileChecksum, ListItem, ListScope, ParquetList, ParquetPosition, RangeSource, TableKind,
};
use tokio::sync::{mpsc, oneshot};

use super::list_file::ListFile;

/// How many rows are handed over at once.
const ROWS_AT_ONCE: usize = 1024;
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
    /// It is at its end.
    Ends(Result<(), Failure>),
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
        scope: ListScope,
        kind: TableKind,
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
            let end = ParquetList::open(source, &name, scope, kind, position)
                .and_then(|list| hand_over(list, &asks));
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

    /// Waits for rows; whether any are at hand.
    async fn has_rows(&mut self) -> Result<bool, Failure> {
        loop {
            if !self.rows.is_empty() {
                return Ok(true);
            }
            match self.reader.recv().await {
                Some(FromReader::Rows(rows)) => self.rows = rows,
                Some(FromReader::Ends(end)) => return end.map(|()| false),
                Some(FromReader::Asks(range, reply)) => {
                    let read = self.file.read(range).await.map(Bytes::from);
                    // A reader that has gone is noticed above.
                    let _ = reply.send(read);
                }
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

async fn check<F: ListFiles>(
    file: &ListFile<'_, F>,
    whole: Option<&Bytes>,
    mut checksum: FileChecksum,
) -> Result<(), Failure> {
    if let Some(whole) = whole {
        checksum.update(whole);
        return checksum.finish(&file.name());
    }
    let size = file.version().size_bytes;
    let mut read = 0;
    while read < size {
        let bytes = file.read(read..read + CHUNK_BYTES).await?;
        read += bytes.len() as u64;
        checksum.update(&bytes);
    }
    checksum.finish(&file.name())
}
