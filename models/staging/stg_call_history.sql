{%- set source_table = source('operabot', 'call_history') -%}
{%- set available = source_column_names(source_table) -%}
{%- set duration = optional_column(available, 'duration') -%}
{%- set extension = optional_column(available, 'answered_extension') -%}
{%- set is_number_in_place_of_operator =
    is_private(optional_column(available, 'answered_user_id'), 10, 64)
    ~ ' or ' ~ is_private(extension, 7, 64)
    ~ ' or ' ~ label_text(extension, 64) ~ ' is not null and not ' ~ is_extension(label_text(extension, 64)) -%}
{%- set wall_clock = optional_column(available, 'context_start_time_dt') -%}
{{- require_source_columns(source_table, available, [
    'history_id', 'context_type', 'caller_number', 'called_number', 'caller_info', 'called_info',
    'talk_duration', 'await_sec', 'context_start_time',
]) -}}

with

typed as (

    select
        history_id,
        case context_type
            when 1 then 'in'
            when 2 then 'out'
            when 3 then 'internal'
        end as direction,
        {{ plausible_seconds('talk_duration') }} as talk_sec,
        {{ plausible_seconds('await_sec') }} as await_sec,
        {{ plausible_seconds(duration) }} as duration_sec,
        {{ plausible_number(optional_column(available, 'context_status'), 1) }} as pbx_status,
        {{ plausible_time(wall_clock) }} as start_by_wall_clock,
        {{ plausible_epoch('context_start_time') }} as start_stamp,
        {#- Ids of users are long in some systems: ten digits are a number of anybody's. #}
        {%- for name, length, digits in [
            ('answered_user_id', 64, 10), ('answered_extension', 64, 7), ('utm_source_by_number', 128, 7)
        ] %}
        {%- set raw = optional_column(available, name) %}
        {%- set text = label_text(raw, length) %}
        {%- if name == 'answered_extension' %}
        {%- set text = 'case when ' ~ is_extension(text) ~ ' then ' ~ text ~ ' end' %}
        {%- endif %}
        {{ without_private(raw, text, digits, longest=length) }}
            as {{ 'source_channel' if name == 'utm_source_by_number' else name }},
        {%- endfor %}
        case
            when {{ is_number_in_place_of_operator }} then 1
            else 0
        end as is_answered_by_number,
        {{ plausible_time(optional_column(available, 'created_at')) }} as source_created_at,
        {{ named_where({
            'start': wall_clock ~ ' is not null and ' ~ plausible_time(wall_clock) ~ ' is null'
                ~ ' or context_start_time <> 0 and ' ~ plausible_epoch('context_start_time') ~ ' is null',
            'talk': 'talk_duration is not null and ' ~ plausible_seconds('talk_duration') ~ ' is null',
            'wait': 'await_sec is not null and ' ~ plausible_seconds('await_sec') ~ ' is null',
            'duration': duration ~ ' is not null and ' ~ plausible_seconds(duration) ~ ' is null',
            'source': is_private(optional_column(available, 'utm_source_by_number'), longest=128),
        }) }} as refused_fields

    -- No `select *`: the account need not be allowed to read transcripts.
    from {{ source_table }} as call_history

    where {{ is_remembered('call_history') }}

),

timed as (

    select
        typed.*,
        {{ local_from_epoch('start_stamp') }} as start_by_epoch

    from typed

)

select
    history_id,
    direction,
    talk_sec,
    await_sec,
    duration_sec,
    pbx_status,
    coalesce(start_by_wall_clock, start_by_epoch) as start_local,
    -- Both are written by the PBX; a minute apart is rounding, more is a contradiction.
    case
        when abs(timestampdiff(second, start_by_wall_clock, start_by_epoch)) > 60 then 1
        else 0
    end as has_start_conflict,
    answered_user_id,
    answered_extension,
    is_answered_by_number,
    source_channel,
    -- The wall clock alone cannot tell the two passes of an hour that comes twice.
    {%- if var('timezone') %}
    case
        when start_by_wall_clock is null
            or abs(timestampdiff(second, start_by_wall_clock, start_by_epoch)) <= 60
            then coalesce(
                start_stamp - ({{ contact_epoch('start_by_epoch', '0') }}), 0
            )
        else 0
    end as second_pass_sec,
    {%- else %}
    0 as second_pass_sec,
    {%- endif %}
    source_created_at,
    refused_fields

from timed
