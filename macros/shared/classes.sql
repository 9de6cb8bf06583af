{% macro smoothed_share(parent) -%}
    (sum(facts.hits) + max(params.smoothing_calls) * max({{ parent }})) * 1e0
    / (sum(facts.n) + max(params.smoothing_calls))
{%- endmacro %}


{% macro plain_scaled_score() -%}
    call_score_raw * case when call_score_raw > 10 then 1 else 10 end
{%- endmacro %}
