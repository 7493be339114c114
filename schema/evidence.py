"""Evidence of measured instants: grades, and the reasons for them in plain words."""

from datetime import datetime
from typing import Annotated

import strawberry

from domain import evidence, incidents, promises
from domain.evidence import EvidenceSource, Grade, ReasonCode
from schema.core.types import enum, from_row, resolver

enum(
    Grade,
    "EvidenceGrade",
    a="A: proven by several accurate measurements that arrived in time, without any doubt.",
    b="B: proven, with a small doubt, such as a device that does not state simulated positions.",
    c="C: weak evidence, such as inaccurate measurements or measurements received late.",
    d="D: not proven, because nothing was measured or something contradicts it.",
)
enum(
    EvidenceSource,
    "EvidenceSource",
    geofence="Positions of a device inside the geofence of the site.",
    position="One position that the guard's phone stated.",
    hand="Reported by a person, without a measurement.",
    photo="A photo with the data that the camera wrote into it.",
)
enum(
    ReasonCode,
    "EvidenceReasonCode",
    fixes="Number of positions in a row that support it.",
    dwell="Seconds inside the geofence without interruption.",
    gap="Seconds between one position and the next, at most.",
    accuracy="Accuracy of the position in metres.",
    accuracy_unknown="The device did not state the accuracy of its position.",
    delay="Seconds between measurement and receipt.",
    clock_skew="Seconds by which the clock of the device was wrong.",
    clock_behind="Seconds by which every position was late, as with a clock that was set back.",
    mock_unknown="The device did not state whether its positions are simulated.",
    mock="Number of simulated positions within five minutes.",
    jump="Speed in km/h that would have been needed to get there from the position before.",
    no_fix="No position proves it.",
    reported="Reported by a person; nothing was measured.",
    single_position="The phone stated one position; several in a row would prove more.",
    stale="Age of the position in seconds when the phone sent it.",
    age_unknown="The phone did not state when it measured the position.",
    not_simulated="The phone states that the position is not simulated.",
    photo_delay="Seconds between taking and receiving the photo.",
    photo_ahead="Seconds by which the camera's clock was ahead.",
    clocks_differ="Seconds by which two clocks differ that stated when the photo was taken.",
    zone_assumed="The camera wrote no time zone, so the client's was assumed.",
    time_stated="The phone stated when the photo was taken; the camera did not write it.",
    no_time="Nothing shows when the photo was taken.",
    inside="The position is inside the geofence of the site.",
    outside="Metres outside the geofence of the site, in steps of ten.",
    no_place="The camera wrote no position.",
    no_geofence="The site has no geofence.",
    same_file="Number of times that the same file was used before.",
    near_duplicate="Number of 64 bits that differ from nearly the same image, used before.",
    copied_metadata="Number of other images with the same camera data.",
    edited="An image editor wrote the file.",
    thumbnail_differs="Number of 64 bits by which the camera's small image differs.",
    no_thumbnail="The camera's small image is missing.",
    no_metadata="The file has no camera data.",
)

ReasonRow = strawberry.Parent[evidence.EvidenceReason]


@from_row(evidence.EvidenceReason)
class EvidenceReason:
    """Reason for a grade of evidence: what was found, and the best grade that it allows."""

    code: Annotated[ReasonCode, "Code of the reason, which also determines the unit of the figure."]
    figure: Annotated[float | None, "Figure of the reason in its unit; null for reasons without."]
    allows: Annotated[Grade, "Best grade that this reason allows; the worst of them is the grade."]

    @resolver(str)
    @staticmethod
    def text(reason: ReasonRow) -> str:
        """Reason with its figure in plain words."""
        return reason.text


@from_row(evidence.ProvenGrade)
class ProvenGrade:
    """Time from which there is proof of a grade."""

    grade: Annotated[Grade, "Grade of the proof."]
    from_at: Annotated[datetime, "Earliest time that is proven with this grade."]


@from_row(incidents.ArrivalEvidence)
class ArrivalEvidence:
    """Evidence of the arrival on an incident: its grade, and what the grade is based on."""

    instant: Annotated[datetime, "Time of the arrival."]
    source: Annotated[EvidenceSource, "Source of the measurement."]
    grade: Annotated[Grade, "Grade of the evidence that somebody was there at that time."]
    reasons: Annotated[list[EvidenceReason], "Reasons for the grade."]
    proven_from: Annotated[
        list[ProvenGrade],
        "Time from which each grade is proven, best grade first; by all positions at the site.",
    ]


@from_row(promises.PromiseEvidence)
class PromiseEvidence:
    """Evidence of an instant that may stop the clock of a promise, and from when on it counts."""

    instant: Annotated[datetime, "Time that was measured or reported."]
    source: Annotated[EvidenceSource, "Source of the measurement."]
    grade: Annotated[
        Grade | None, "Grade of the evidence; null for reports from before grades existed."
    ]
    reasons: Annotated[list[EvidenceReason], "Reasons for the grade."]
    proven_from: Annotated[list[ProvenGrade], "Time from which each grade is proven."]
    counts_from: Annotated[
        datetime | None,
        "Time from which it counts for the promise; null while its grade is too low.",
    ]
