"""The table of feedback is read strictly, keeps its secrets, and a campaign's own table goes over it."""

import pytest
from ajo_simulator.feedback.rules import CampaignCourse, Course, Failure, FeedbackRules, course_of
from ajo_simulator.latency import Latency
from ajo_simulator.scenario import BadScenario, parse_scenario

WHOLE = """
[feedback]
webhook = "https://127.0.0.1:8443/feedback?from=ajo"
header = "x-ours"
secret = "hush"
channel = "sms"
departure = {seconds = 2}
delivery = {distribution = "uniform", low = 1, high = 3}
delay_events = 2
bounce_share = 0.1
bounce = {type = "Soft", code = "12"}
duplicate_share = 0.2
disorder = 0.3
timestamps = false
request_id = "gateway"
retry_for = 5

[[feedback.outage]]
what = "provider"
from = 10
until = 20

[[feedback.campaign]]
id = "c-1"
departure = {seconds = 9}
bounce_share = 0
"""


def rules(text: str) -> FeedbackRules:
    feedback = parse_scenario(text).feedback
    assert feedback is not None
    return feedback


def test_without_the_table_nothing_is_told() -> None:
    assert parse_scenario("").feedback is None
    assert rules("[feedback]") == FeedbackRules()


def test_a_campaigns_own_table_goes_over_the_common_one_field_by_field() -> None:
    feedback = rules(WHOLE)
    own, others = course_of(feedback, "c-1"), course_of(feedback, "c-2")
    assert (own.departure, own.bounce_share) == (Latency(seconds=9), 0)
    assert (others.departure, others.bounce_share) == (Latency(seconds=2), 0.1)
    assert own.delivery == others.delivery == Latency(distribution="uniform", low=1, high=3)
    assert own.bounce == Failure(type="Soft", code="12")
    assert (own.channel, own.delay_events, own.request_id) == ("sms", 2, "gateway")


def test_a_campaign_may_have_every_field_of_a_course_of_its_own() -> None:
    assert set(CampaignCourse.__struct_fields__) - {"id"} == set(Course.__struct_fields__)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[feedback]\nwebhok = 'http://a'", "unknown field `webhok` - at `feedback`"),
        ("[feedback]\nwebhook = 'ftp://a'", "at `feedback.webhook`"),
        ("[feedback]\nwebhook = 'http://me:hush@a/'", "at `feedback.webhook`"),
        ("[feedback]\nsecret = 'a\\r\\nb: c'", "at `feedback.secret`"),
        ("[feedback]\njwt_secret = 'hush'", "length >= 32 - at `feedback.jwt_secret`"),
        ("[feedback]\nheader = 'a b'", "at `feedback.header`"),
        ("[feedback]\nchannel = 'fax'", "at `feedback.channel`"),
        ("[feedback]\nbounce_share = 2", "Expected `float` <= 1.0 - at `feedback.bounce_share`"),
        ("[feedback]\nbounce = {kind = 'Hard'}", "unknown field `kind` - at `feedback.bounce`"),
        ("[feedback]\ndeparture = {second = 1}", "unknown field `second` - at `feedback.departure`"),
        ("[feedback]\ndelay_events = 101", "Expected `int` <= 100 - at `feedback.delay_events`"),
        ("[feedback]\nrequest_id = 'mine'", "at `feedback.request_id`"),
        ("[[feedback.outage]]\nwhat = 'provider'", "an outage needs `until`"),
        ("[[feedback.outage]]\nuntil = 2", "missing required field `what` - at `feedback.outage[0]`"),
        ("[[feedback.outage]]\nwhat = 'api'\nuntil = 2", "at `feedback.outage[0].what`"),
        ("[[feedback.outage]]\nwhat = 'provider'\nuntil = 2\nto = 3", "unknown field `to` - at `feedback.outage[0]`"),
        ("[[feedback.outage]]\nwhat = 'provider'\nfrom = 2\nuntil = 1", "`until` must be greater than `from`"),
        ("[[feedback.campaign]]\ndisorder = 1", "missing required field `id` - at `feedback.campaign[0]`"),
        ("[[feedback.campaign]]\nid = 'a'\nwebhook = 'http://a'", "unknown field `webhook`"),
        ("[[feedback.campaign]]\nid = 'a'\n[[feedback.campaign]]\nid = 'a'", "`campaign` has 'a' twice"),
    ],
)
def test_a_fault_of_the_table_is_told_with_its_field_and_without_a_secret(text: str, told: str) -> None:
    with pytest.raises(BadScenario) as bad:
        parse_scenario(text, "chaos.toml")
    assert told in str(bad.value)
    assert "hush" not in str(bad.value)


def test_its_secrets_are_in_no_repr() -> None:
    scenario = parse_scenario(WHOLE)
    assert "hush" not in repr(scenario)
    assert "hush" not in repr(course_of(rules(WHOLE), "c-1"))
