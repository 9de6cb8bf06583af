{% macro measured_metrics() %}
    {% set groups = {} %}
    {% for code, metric in rule_metrics().items() %}
        {% do groups.update({code: metric.group}) %}
    {% endfor %}
    {% for code in ['conversion_prob_forecast', 'second_call_prob', 'complaint_prob'] %}
        {% do groups.update({code: 'forecast'}) %}
    {% endfor %}
    {% do return(groups) %}
{% endmacro %}
