{%- set source_table = source('operabot', 'call_history') -%}
{%- set available = source_column_names(source_table) -%}
{{- require_source_columns(source_table, available, [
    'history_id', 'context_type', 'caller_number', 'called_number', 'caller_info', 'called_info',
    'talk_duration', 'await_sec', 'context_start_time',
]) -}}

with

call_history as (

    select * from {{ source_table }}

),

typed as (

    select
        history_id,
        case context_type
            when 1 then 'in'
            when 2 then 'out'
            when 3 then 'internal'
        end as direction,
        cast(talk_duration as signed) as talk_sec,
        cast(await_sec as signed) as await_sec,
        cast({{ optional_column(available, 'duration') }} as signed) as duration_sec,
        cast({{ optional_column(available, 'context_status') }} as signed) as pbx_status,
        cast({{ optional_column(available, 'context_start_time_dt') }} as datetime)
            as start_by_wall_clock,
        case
            when context_start_time > 0 then {{ local_from_epoch('context_start_time') }}
        end as start_by_epoch,
        {#- Ids of users are long in some systems: ten digits are a number of anybody's. #}
        {%- for name, length, digits in [
            ('answered_user_id', 64, 10), ('answered_extension', 64, 7), ('utm_source_by_number', 128, 7)
        ] %}
        {%- set raw = optional_column(available, name) %}
        {{ without_phone(raw, label_text(raw, length), digits) }}
            as {{ 'source_channel' if name == 'utm_source_by_number' else name }},
        {%- endfor %}
        case
            when {{ holds_phone(optional_column(available, 'answered_user_id'), 10) }}
                or {{ holds_phone(optional_column(available, 'answered_extension')) }} then 1
            else 0
        end as is_answered_by_number,
        {%- if var('timezone') %}
        cast(context_start_time as signed) as context_start_time,
        {%- endif %}
        cast({{ optional_column(available, 'created_at') }} as datetime) as source_created_at

    from call_history

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
                context_start_time - ({{ contact_epoch('start_by_epoch', '0') }}), 0
            )
        else 0
    end as second_pass_sec,
    {%- else %}
    0 as second_pass_sec,
    {%- endif %}
    source_created_at

from typed
