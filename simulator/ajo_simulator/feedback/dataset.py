"""Events as an export of Journey Optimizer's message feedback dataset has them: JSON lines, CSV or Parquet.

Names are those of the schema "Message Feedback Event" in Adobe's schema dictionary of Journey Optimizer. A CSV's
columns have them joined by dots; the others are nested.
"""

import csv
from collections.abc import Iterable, Iterator, Mapping
from datetime import UTC, datetime
from io import BytesIO, StringIO
from typing import Any, Literal, TypeAlias, get_args

import msgspec

from ajo_simulator.feedback.documents import instant, invented_id
from ajo_simulator.feedback.message import Report

Form: TypeAlias = Literal["jsonl", "csv", "parquet"]
FORMS: tuple[Form, ...] = get_args(Form)
MEDIA_TYPES: Mapping[Form, str] = {
    "jsonl": "application/jsonl",
    "csv": "text/csv",
    "parquet": "application/vnd.apache.parquet",
}
COLUMNS: tuple[str, ...] = (
    "timestamp",
    "_experience.customerJourneyManagement.messageExecution.messageExecutionID",
    "_experience.customerJourneyManagement.messageExecution.campaignID",
    "_experience.customerJourneyManagement.messageDeliveryfeedback.feedbackStatus",
    "_experience.customerJourneyManagement.messageDeliveryfeedback.retryCount",
    "_experience.customerJourneyManagement.messageDeliveryfeedback.messageFailure.category",
    "_experience.customerJourneyManagement.messageDeliveryfeedback.messageFailure.type",
    "_experience.customerJourneyManagement.messageDeliveryfeedback.messageFailure.reason",
    "_experience.customerJourneyManagement.emailChannelContext.address",
    "_experience.customerJourneyManagement.messageProfile.messageProfileID",
)


def encode(reports: Iterable[Report], form: Form) -> bytes:
    """A whole file of these events, in this order.

    Raises:
        ModuleNotFoundError: Parquet needs the package pyarrow, and it isn't installed.
    """
    match form:
        case "jsonl":
            return b"".join(msgspec.json.encode(nested(values_of(report))) + b"\n" for report in reports)
        case "csv":
            text = StringIO()
            csv.writer(text).writerows([COLUMNS, *map(values_of, reports)])
            return text.getvalue().encode()
        case "parquet":
            return _parquet(reports)


def values_of(report: Report) -> tuple[str | int | None, ...]:
    """A row: a value for each of ``COLUMNS``."""
    message, failure = report.message, report.failure
    acceptance = message.acceptance
    return (
        instant(report.happened_at),
        acceptance.execution_id,
        acceptance.campaign_id,
        report.status,
        report.retry_count,
        failure.category if failure else None,
        failure.type if failure else None,
        failure.reason if failure else None,
        message.recipient.address if message.channel == "email" else None,
        invented_id("message profile", f"{acceptance.execution_id} {message.number}"),
    )


def nested(values: Iterable[Any]) -> dict[str, Any]:
    """A value for each of ``COLUMNS`` as one document."""
    document: dict[str, Any] = {}
    for column, value in zip(COLUMNS, values, strict=True):
        *path, name = column.split(".")
        place = document
        for step in path:
            place = place.setdefault(step, {})
        place[name] = value
    return document


def _parquet(reports: Iterable[Report]) -> bytes:
    import pyarrow  # noqa: PLC0415 - an extra of its own, which takes long to import
    from pyarrow import parquet  # noqa: PLC0415 - see above

    kinds = {"timestamp": pyarrow.timestamp("us", tz="UTC"), "retryCount": pyarrow.int64()}

    def kind_of(name: str, tree: dict[str, Any] | None) -> Any:  # noqa: ANN401 - pyarrow ships no types
        if tree is None:
            return kinds.get(name, pyarrow.string())
        return pyarrow.struct([(inner, kind_of(inner, below)) for inner, below in tree.items()])

    tree = nested([None] * len(COLUMNS))
    schema = pyarrow.schema([(name, kind_of(name, below)) for name, below in tree.items()])
    file = BytesIO()
    parquet.write_table(pyarrow.Table.from_pylist(list(_typed(reports)), schema=schema), file)
    return file.getvalue()


def _typed(reports: Iterable[Report]) -> Iterator[dict[str, Any]]:
    for report in reports:
        yield nested(values_of(report)) | {"timestamp": datetime.fromtimestamp(report.happened_at, UTC)}
