"""Rows of Parquet files, with the columns that feedback is made of; needs pyarrow, the extra ``parquet``."""

from collections.abc import Iterator
from typing import Any, BinaryIO

import pyarrow as pa
import pyarrow.parquet as pq

from ajo_worker.feedback.numbered_rows import NumberedRow, RowSource, UnreadableFile
from ajo_worker.feedback.reading import is_read

BATCH = 1000


def open_parquet(raw: BinaryIO) -> RowSource:
    """The rows of an open Parquet file.

    Raises:
        UnreadableFile: it is none, or has no column of feedback.
    """
    try:
        # Spark writes instants of nanoseconds, which Python's have no room for.
        file = pq.ParquetFile(raw, coerce_int96_timestamp_unit="us")
    except (pa.ArrowException, OSError) as fault:
        raise UnreadableFile(f"it is no Parquet file: {type(fault).__name__}") from None
    paths = [file.schema.column(index).path for index in range(len(file.schema))]
    wanted = sorted({_chosen(path) for path in paths if is_read(path)})
    if not wanted:
        raise UnreadableFile("none of its columns is one of the message feedback dataset")
    read = [0]
    return RowSource(_rows(file, wanted, read), "row", file.metadata.num_rows, lambda: read[0])


def _chosen(path: str) -> str:
    """A map's parts can't be chosen apart."""
    return path.partition(".")[0] if path.lower().startswith("identitymap") else path


def _rows(file: Any, wanted: list[str], read: list[int]) -> Iterator[NumberedRow]:  # noqa: ANN401 - pyarrow has no types
    try:
        for batch in file.iter_batches(BATCH, columns=wanted):
            for row in pa.Table.from_batches([batch]).cast(_microseconds(batch.schema), safe=False).to_pylist():
                read[0] += 1
                yield NumberedRow(read[0], row)
    except (pa.ArrowException, OSError) as fault:
        raise UnreadableFile(f"it is damaged after row {read[0]}: {type(fault).__name__}") from None


def _microseconds(schema: Any) -> Any:  # noqa: ANN401 - pyarrow has no types
    return pa.schema([
        pa.field(field.name, pa.timestamp("us", field.type.tz)) if pa.types.is_timestamp(field.type) else field
        for field in schema
    ])  # fmt: skip
