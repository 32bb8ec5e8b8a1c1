"""Triggers for automations."""

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import ClassVar, override

from homeassistant.components.event import ATTR_EVENT_TYPE
from homeassistant.const import (
    ATTR_ENTITY_ID,
    ATTR_UNIT_OF_MEASUREMENT,
    CONF_ABOVE,
    CONF_BELOW,
    CONF_OPTIONS,
    CONF_UNIT_OF_MEASUREMENT,
    STATE_UNAVAILABLE,
    UnitOfInformation,
    UnitOfRatio,
)
from homeassistant.core import CALLBACK_TYPE, HomeAssistant, State, callback
from homeassistant.helpers import config_validation as cv
from homeassistant.helpers.target import (
    TargetStateChangedData,
    async_track_target_selector_state_change_event,
)
from homeassistant.helpers.trigger import (
    ENTITY_STATE_TRIGGER_SCHEMA,
    ENTITY_STATE_TRIGGER_SCHEMA_WITH_BEHAVIOR,
    EntityTargetStateTriggerBase,
    EntityTriggerBase,
    NotTriggeredReasonReporter,
    StatelessEntityTriggerBase,
    Trigger,
    TriggerActionRunner,
    TriggerNotTriggeredReporter,
)
from homeassistant.util import dt as dt_util
from homeassistant.util.unit_conversion import InformationConverter
import voluptuous as vol

from .api.models.nodes import NodeLoad
from .clock import WallClockTimer
from .entities_by_field import (
    BINARY_SENSORS,
    EVENTS,
    OFF,
    ON,
    ONLINE,
    PUBLIC_ADDRESS,
    REACHABLE,
    SENSORS,
    SIGNED_IN_TODAY,
    Fields,
    filter_by_fields,
    time_zone_of,
)
from .forecast import SUBJECTS
from .number_validators import AMOUNT, NUMBER
from .sign_in import FAILED, MISSED

CONF_BEFORE = "before"

_FAR = datetime.max.replace(tzinfo=UTC)

UNITS = (
    UnitOfRatio.PERCENTAGE,
    UnitOfInformation.MEBIBYTES,
    UnitOfInformation.GIBIBYTES,
    UnitOfInformation.TEBIBYTES,
)


class FieldTrigger(EntityTriggerBase):
    """The base class of triggers for certain fields, including diagnostic ones."""

    entity_fields: ClassVar[Fields]
    _primary_entities_only = False

    @override
    def entity_filter(self, entities: set[str]) -> set[str]:
        return filter_by_fields(self._hass, super().entity_filter(entities), self.entity_fields)


def _becomes(fields: Fields, to_states: set[str]) -> type[Trigger]:
    """Return a trigger for entities that change to a state."""

    class _Becomes(FieldTrigger, EntityTargetStateTriggerBase):
        _domain_specs = BINARY_SENSORS
        entity_fields = fields
        _to_states = to_states

    return _Becomes


class AddressChangedTrigger(FieldTrigger):
    """Triggers when a public address changes, also while the service is unavailable."""

    _domain_specs = SENSORS
    entity_fields = PUBLIC_ADDRESS
    _schema = ENTITY_STATE_TRIGGER_SCHEMA

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Store the addresses of all entities, and compare them with each change."""
        known: dict[str, State] = {}

        @callback
        def _changed(data: TargetStateChangedData) -> None:
            state = data.state_change_event.data["new_state"]
            if state is None or not self._should_include(state):
                return
            before = known.get(state.entity_id)
            known[state.entity_id] = state
            if before is not None and before.state != state.state:
                run_action(
                    {
                        ATTR_ENTITY_ID: state.entity_id,
                        "from_state": before,
                        "to_state": state,
                        "from_address": before.state,
                        "to_address": state.state,
                    },
                    f"address of {state.entity_id}",
                    state.context,
                )

        @callback
        def _targets_changed(
            added: set[str], removed: set[str], states: Mapping[str, State | None]
        ) -> None:
            for entity_id in removed:
                known.pop(entity_id, None)
            for entity_id in added:
                if (state := states[entity_id]) is not None and self._should_include(state):
                    known[entity_id] = state

        return await async_track_target_selector_state_change_event(
            self._hass,
            self._target,
            _changed,
            self.entity_filter,
            _targets_changed,
            primary_entities_only=self._primary_entities_only,
        )


class SignInFailedTrigger(FieldTrigger, StatelessEntityTriggerBase):
    """Triggers at the first failed sign-in of a day, and when a day ends without one."""

    _domain_specs = EVENTS
    entity_fields = frozenset({("account", "sign_in")})

    @override
    def is_valid_state(
        self, state: State, report_not_triggered: NotTriggeredReasonReporter
    ) -> bool:
        return bool(state.attributes.get(ATTR_EVENT_TYPE) in (FAILED, MISSED))


class CrossingTrigger(FieldTrigger):
    """Triggers when a state meets the requirements and the previous one did not."""

    _domain_specs = SENSORS

    @override
    def is_valid_transition(self, from_state: State, to_state: State) -> bool:
        return not self.is_valid_state(from_state, lambda reason, /, **data: None)


class NodeOverloadedTrigger(CrossingTrigger):
    """Triggers when a node reports a high load, or when a value exceeds a limit."""

    entity_fields = frozenset(
        {
            ("node", "bandwidth_usage"),
            ("node", "cpu_usage"),
            ("node", "load"),
            ("node", "memory_usage"),
            ("public_node", "load"),
            ("relay_node", "load"),
        }
    )
    _schema = ENTITY_STATE_TRIGGER_SCHEMA_WITH_BEHAVIOR.extend(
        {
            vol.Required(CONF_OPTIONS, default={}): {
                vol.Required(CONF_ABOVE, default=90): vol.All(NUMBER, vol.Range(min=0, max=100))
            }
        }
    )

    @override
    def is_valid_state(
        self, state: State, report_not_triggered: NotTriggeredReasonReporter
    ) -> bool:
        if _is_share(state):
            return bool(float(state.state) > self._options[CONF_ABOVE])
        return state.state == NodeLoad.HIGH


class TrafficLowTrigger(CrossingTrigger):
    """Triggers when less traffic is left than an amount, or than a percentage of the limit."""

    entity_fields = frozenset(
        {
            ("account", "traffic_left"),
            ("public_node", "traffic_usage"),
            ("relay_node", "traffic_usage"),
            ("user", "traffic_usage"),
        }
    )
    _schema = ENTITY_STATE_TRIGGER_SCHEMA_WITH_BEHAVIOR.extend(
        {
            vol.Required(CONF_OPTIONS): {
                vol.Required(CONF_BELOW): AMOUNT,
                vol.Required(CONF_UNIT_OF_MEASUREMENT, default=UnitOfInformation.GIBIBYTES): vol.In(
                    UNITS
                ),
            }
        }
    )

    @override
    def _should_include(self, state: State) -> bool:
        """Only include percentages or only amounts, depending on the threshold."""
        about_share = self._options[CONF_UNIT_OF_MEASUREMENT] == UnitOfRatio.PERCENTAGE
        return super()._should_include(state) and _is_share(state) == about_share

    @override
    def is_valid_state(
        self, state: State, report_not_triggered: NotTriggeredReasonReporter
    ) -> bool:
        return self._should_include(state) and self._left(state) < self._options[CONF_BELOW]

    def _left(self, state: State) -> float:
        """Return the remaining traffic in the unit of the threshold."""
        if _is_share(state):
            return 100 - float(state.state)
        return InformationConverter.convert(
            float(state.state),
            state.attributes[ATTR_UNIT_OF_MEASUREMENT],
            self._options[CONF_UNIT_OF_MEASUREMENT],
        )


class _Ends:
    """Tracks when the validity of entities ends, and triggers some time before."""

    def __init__(
        self, hass: HomeAssistant, before: timedelta, run_action: TriggerActionRunner
    ) -> None:
        self._hass = hass
        self._before = before
        self._run_action = run_action
        self._ends: dict[str, datetime] = {}
        self._waiting: dict[str, tuple[datetime, State]] = {}
        self._timer = WallClockTimer(hass, self._fire_due)

    @callback
    def async_changed(self, data: TargetStateChangedData) -> None:
        """Handle a changed state."""
        event = data.state_change_event
        self._schedule(event.data["entity_id"], event.data["new_state"])
        self._timer.async_call()

    @callback
    def async_targets_changed(
        self, added: set[str], removed: set[str], states: Mapping[str, State | None]
    ) -> None:
        """Handle changed targets."""
        for entity_id in removed:
            self._forget(entity_id)
        for entity_id in added:
            self._schedule(entity_id, states[entity_id])
        self._timer.async_call()

    @callback
    def async_stop(self) -> None:
        """Cancel all timers."""
        self._timer.async_stop()

    def _forget(self, entity_id: str) -> None:
        self._ends.pop(entity_id, None)
        self._waiting.pop(entity_id, None)

    def _schedule(self, entity_id: str, state: State | None) -> None:
        """Wait for an expiry time, or trigger if it is near and was known before."""
        # While the state is unknown, the last known expiry time is used.
        if state is None or (end := _moment(self._hass, state)) is None:
            return
        if end == self._ends.get(entity_id):
            return
        is_first = entity_id not in self._ends
        self._forget(entity_id)
        self._ends[entity_id] = end
        if (moment := end - self._before) > dt_util.utcnow() or not is_first:
            self._waiting[entity_id] = moment, state

    @callback
    def _fire_due(self, now: datetime) -> datetime | None:
        """Trigger for entities that expire soon; return when the next ones do."""
        for entity_id, (moment, state) in list(self._waiting.items()):
            if moment <= now:
                del self._waiting[entity_id]
                self._fire(state)
        return min((moment for moment, _ in self._waiting.values()), default=None)

    @callback
    def _fire(self, state: State) -> None:
        self._run_action(
            {ATTR_ENTITY_ID: state.entity_id, "to_state": state, CONF_BEFORE: self._before},
            f"end of {state.entity_id}",
            state.context,
        )


class _Forecasts(_Ends):
    """Tracks forecasts, which change: triggers once, until the forecast is far ahead again."""

    def __init__(
        self, hass: HomeAssistant, before: timedelta, run_action: TriggerActionRunner
    ) -> None:
        super().__init__(hass, before, run_action)
        self._near = set[str]()

    @override
    def _schedule(self, entity_id: str, state: State | None) -> None:
        if state is None or state.state == STATE_UNAVAILABLE:
            return
        is_first = entity_id not in self._ends
        end = _moment(self._hass, state)
        self._ends[entity_id] = end or _FAR
        if end is None or (moment := end - self._before) > dt_util.utcnow():
            self._near.discard(entity_id)
            self._waiting.pop(entity_id, None)
            if end is not None:
                self._waiting[entity_id] = moment, state
        elif is_first:
            self._near.add(entity_id)
        elif entity_id not in self._near:
            self._waiting[entity_id] = moment, state

    @override
    def _fire(self, state: State) -> None:
        self._near.add(state.entity_id)
        super()._fire(state)


def _schema_before(*, days: int) -> vol.Schema:
    """Return the schema of a trigger that fires in advance. days: the default."""
    before = vol.Required(CONF_BEFORE, default={"days": days})
    return ENTITY_STATE_TRIGGER_SCHEMA.extend(
        {vol.Required(CONF_OPTIONS, default={}): {before: cv.positive_time_period}}
    )


class ValidityEndingTrigger(FieldTrigger):
    """Triggers before a certificate or another right expires."""

    _domain_specs = SENSORS
    _ends: ClassVar[type[_Ends]] = _Ends
    entity_fields = frozenset(
        {
            ("account", "group_expires"),
            ("certificates", "certificates"),
            ("check", "certificate_expires"),
            ("relay_node", "valid_until"),
            ("user", "expires"),
            ("watched_address", "certificate_expires"),
        }
    )
    _schema = _schema_before(days=7)

    @override
    async def async_attach_runner(
        self,
        run_action: TriggerActionRunner,
        did_not_trigger: TriggerNotTriggeredReporter | None = None,
    ) -> CALLBACK_TYPE:
        """Schedule the trigger for all entities."""
        ends = self._ends(self._hass, self._options[CONF_BEFORE], run_action)
        unsubscribe = await async_track_target_selector_state_change_event(
            self._hass,
            self._target,
            ends.async_changed,
            self.entity_filter,
            ends.async_targets_changed,
            primary_entities_only=self._primary_entities_only,
        )

        @callback
        def detach() -> None:
            unsubscribe()
            ends.async_stop()

        return detach


class TrafficEndingTrigger(ValidityEndingTrigger):
    """Triggers when traffic is forecast to be used up soon."""

    entity_fields = frozenset(
        (subject.forecast.kind, "traffic_lasts_until") for subject in SUBJECTS
    )
    _schema = _schema_before(days=3)
    _ends = _Forecasts


def _is_share(state: State) -> bool:
    return bool(state.attributes.get(ATTR_UNIT_OF_MEASUREMENT) == UnitOfRatio.PERCENTAGE)


def _moment(hass: HomeAssistant, state: State) -> datetime | None:
    """Return a state as a time; a date starts at midnight in the time zone of the service."""
    moment = dt_util.parse_datetime(state.state)
    if moment is None or moment.tzinfo is not None:
        return moment
    return moment.replace(tzinfo=time_zone_of(hass, state.entity_id))


TRIGGERS: dict[str, type[Trigger]] = {
    "address_changed": AddressChangedTrigger,
    "became_reachable": _becomes(REACHABLE, ON),
    "became_unreachable": _becomes(REACHABLE, OFF),
    "node_overloaded": NodeOverloadedTrigger,
    "sign_in_failed": SignInFailedTrigger,
    "signed_in": _becomes(SIGNED_IN_TODAY, ON),
    "traffic_ending": TrafficEndingTrigger,
    "traffic_low": TrafficLowTrigger,
    "tunnel_came_online": _becomes(ONLINE, ON),
    "tunnel_went_offline": _becomes(ONLINE, OFF),
    "validity_ending": ValidityEndingTrigger,
}


async def async_get_triggers(hass: HomeAssistant) -> dict[str, type[Trigger]]:
    """Return the triggers of the integration."""
    return TRIGGERS
