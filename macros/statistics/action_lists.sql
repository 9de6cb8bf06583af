{% macro off_list_code() -%}
    case
        when lists.list_code is null then null
        when lm_value.value_numeric is null then {{ gate_code() }}
        when lists.metric_code = 'followup_needed_flag' and lm_value.value_numeric = 0
            then coalesce({{ json_text('reasons[1].code') }}, 'NO_NEED')
        when {{ is_below_threshold() }} then 'BELOW_THRESHOLD'
        when calls.call_started_at is null then 'NO_START'
        when lists.metric_code = 'followup_needed_flag' then null
        when calls.is_frequent_number = 1 then 'FREQUENT_NUMBER'
        when calls.caller_key is null then 'NO_NUMBER'
        when calls.is_booked = 1 then 'BOOKED'
        when calls.next_booking_at is not null then 'BOOKED'
        when calls.next_outgoing_answered_at is not null
            or calls.next_incoming_answered_at is not null then 'LATER_CONTACT'
        {#- An unanswered attempt to reach the client closes nothing. #}
        when calls.next_need_at is not null then 'NOT_LATEST_CALL'
        when calls.call_started_at < {{ days_before_now('lists.window_days') }} then 'TOO_OLD'
    end
{%- endmacro %}


{% macro is_below_threshold() -%}
    (
        lm_value.value_numeric < coalesce(lists.value_from, lm_value.value_numeric)
        or lm_value.value_label <> coalesce(lists.value_label, lm_value.value_label)
    )
{%- endmacro %}


{% macro is_owed(need) -%}
    (lists.list_code = 'complaint' or (lists.list_code = 'callback' and {{ need }} in ('N2', 'N5')))
{%- endmacro %}


{% macro holdout_share() -%}
    {%- set share = var('lm_worklist_holdout_share') -%}
    {%- if share is not number or share is boolean or not 0 <= share <= 0.5 -%}
        {{ exceptions.raise_compiler_error(
            "The var lm_worklist_holdout_share is " ~ share ~ ": give a share of the clients, 0 to 0.5."
        ) }}
    {%- endif -%}
    {{ share }}
{%- endmacro %}


{% macro holdout_since() -%}
    {%- set since = var('lm_worklist_holdout_since') -%}
    {%- if holdout_share() | float and not modules.re.match('^\\d{4}-\\d\\d-\\d\\d$', since | string) -%}
        {{ exceptions.raise_compiler_error(
            "The var lm_worklist_holdout_since is '" ~ since ~ "': give the day from which"
            ~ " lm_worklist_holdout_share has stood as it does, as '2026-12-31'."
        ) }}
    {%- endif -%}
    {%- if holdout_share() | float -%}
        cast('{{ since }}' as datetime)
    {%- else -%}
        {{ as_of() }}
    {%- endif -%}
{%- endmacro %}


{% macro is_held_out(caller_key) -%}
    {%- set places = 4294967296 -%}
    case
        {#- The key is a keyed hash: its last 32 bits are a draw that nobody can foresee or choose. #}
        when conv(right({{ caller_key }}, 8), 16, 10) * 1e0 < {{ holdout_share() }} * {{ places }}e0 then 1
        else 0
    end
{%- endmacro %}


{% macro days_before_now(days) -%}
    timestampadd(day, -({{ days }}), {{ as_of() }})
{%- endmacro %}


{% macro longest_list_days() -%}
    greatest(
        (select max(longest.window_days) from {{ ref('lm_action_lists') }} as longest),
        (select max(expiry.followup_expires_days) from {{ ref('int_rule_params') }} as expiry)
    )
{%- endmacro %}
