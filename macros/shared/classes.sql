{# What a talk is compared with: the outcome, or the category where there is no outcome. #}
{% macro talk_class() -%}
    case
        when outcome = 'record' then 'record'
        when outcome = 'info_only' then 'info'
        when outcome in ('cancelled_by_patient', 'cancelled_by_operator') then 'cancelled'
        when outcome in ('lead_no_record', 'refused') then 'lead'
        when outcome = 'non_target' then 'non_target'
        when call_category = 'booking' then 'record'
        when call_category in ('info', 'navigation') then 'info'
        when call_category in ('cancel', 'reschedule') then 'cancelled'
        when call_category = 'lead' then 'lead'
        else 'all'
    end
{%- endmacro %}


{# A parameter of a family, such as talk_m_record, chosen by the value of a column. #}
{% macro param_of(family, column, values, otherwise='null') -%}
    case {{ column }}
        {%- for value in values %}
        when '{{ value }}' then params.{{ family }}_{{ value | lower }}
        {%- endfor %}
        else {{ otherwise }}
    end
{%- endmacro %}


{# (k + m p) / (n + m): few observations stay near the parent's share.
   Robinson, Introduction to Empirical Bayes, 2017. #}
{% macro smoothed_share(parent) -%}
    (sum(facts.hits) + max(params.smoothing_calls) * max({{ parent }})) * 1e0
    / (sum(facts.n) + max(params.smoothing_calls))
{%- endmacro %}


{# The mark on 0..100 without its batch: no mark above 10 is on the scale of 10. #}
{% macro plain_scaled_score() -%}
    call_score_raw * case when call_score_raw > 10 then 1 else 10 end
{%- endmacro %}
