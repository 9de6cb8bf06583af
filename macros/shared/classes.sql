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
