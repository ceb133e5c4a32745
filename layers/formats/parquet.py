"""Observations as a Parquet file, for analysis elsewhere (pandas, DuckDB, Spark …), and back.

Ten million records are some tens of megabytes, typed, and read by column; the other formats would take gigabytes.
"""

from __future__ import annotations

from pathlib import Path

import pandas as pd

from hydro.errors import HydroError

SUFFIX = ".parquet"
MAGIC = b"PAR1"
MAX_ROWS = 200_000_000
MAX_BYTES = 4 << 30
"""What a file may hold when unpacked, by its own footer; a forged footer fails in the reading."""


def write(table: pd.DataFrame, path: Path) -> None:
    """One table, sorted as the project holds it, compressed by zstd."""
    import pyarrow as pa
    import pyarrow.parquet as pq

    pq.write_table(pa.Table.from_pandas(table, preserve_index=False), path, compression="zstd", row_group_size=1 << 20)


def read(path: Path) -> pd.DataFrame:
    """The plain columns of a file, rows numbered from 1; times become ISO 8601 text.

    Raises:
        HydroError: it is too large when unpacked, or has columns within columns.
    """
    import pyarrow as pa
    import pyarrow.parquet as pq

    with pq.ParquetFile(path) as file:
        told = file.metadata
        size = sum(told.row_group(group).total_byte_size for group in range(told.num_row_groups))
        if told.num_rows > MAX_ROWS or size > MAX_BYTES:
            message = "{file} 有 {size:.0f} MB，超出限度 {limit:.0f} MB。请拆分后再导入"
            raise HydroError(
                "file_too_large",
                message,
                file=path.name,
                size=max(size, told.num_rows) / 2**20,
                limit=MAX_BYTES / 2**20,
            )
        nested = [field.name for field in file.schema_arrow if pa.types.is_nested(field.type)]
        if nested:
            message = "{file} 的列 {columns} 一格里有多个值。请展开成一格一个值再导入"
            raise HydroError("parquet_nested", message, file=path.name, columns="、".join(nested))
        frame: pd.DataFrame = file.read().to_pandas()
    frame = frame.reset_index() if frame.index.name else frame
    for name in frame.columns[[pd.api.types.is_datetime64_any_dtype(kind) for kind in frame.dtypes]]:
        frame[name] = frame[name].map(lambda stamp: "" if pd.isna(stamp) else stamp.isoformat(timespec="minutes"))
    frame.index = pd.RangeIndex(1, len(frame) + 1)
    return frame
