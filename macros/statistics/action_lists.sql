{% macro off_list_code() -%}
    case
        when lists.list_code is null then null
        when lm_value.value_numeric is null then {{ gate_code() }}
        when lists.metric_code = 'followup_needed_flag' and lm_value.value_numeric = 0
            then coalesce({{ json_text('reasons[1].code') }}, 'NO_NEED')
        when lm_value.value_numeric < lists.value_from then 'BELOW_THRESHOLD'
        when lm_value.value_label <> lists.value_label then 'BELOW_THRESHOLD'
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


{% macro days_before_now(days) -%}
    timestampadd(day, -({{ days }}), {{ as_of() }})
{%- endmacro %}


{% macro longest_list_days() -%}
    greatest(
        (select max(longest.window_days) from {{ ref('lm_action_lists') }} as longest),
        (select max(expiry.followup_expires_days) from {{ ref('int_rule_params') }} as expiry)
    )
{%- endmacro %}
