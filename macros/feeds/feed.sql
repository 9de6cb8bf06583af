{#
    Which rows a model reads, and why: by a kind, named in the model's config with what it needs to know:

    whole, every_run                                all rows, whenever rules or seeds have changed, or always
    by_key, of, dates, open_days                    the calls of a table that numbers its changes
    by_date, column                                 the dates in a column of fct_call whose calls changed
    by_new_date, column, of, date, until_now        dates of a table that have no rows yet; the others stay
    by_day, by_metric or reads                      the days whose calls or values changed, as stat_date; of those of
                                                    which only values did, by_metric reads those metrics alone;
                                                    reads names the metrics that count
    by_period                                       the periods in which a day changed, or which ended anew
    before_int_calls, int_calls, fct_call           as these models need it

    A kind is a macro feed_<kind>, asked for one of these, for each costs queries:

    positions   {feed: newest position} of what the model follows
    full_pass   batches through all of it, after the cursor `start`
    changes     batches of what changed after the positions noted
    only_call   the batches of one call, where the model has a row a call

    A batch is {where, and cursor_key or feed and position}; once: its position says that all of it is done, or
    done_from, a later one, where what the batch reads may change again before its position is reached;
    days: {name: day}, what stands for day_of_batch(name); metrics: a condition, for metrics_of_batch().
#}
{% macro feed(part, relation=none, start=none, call=none) %}
    {% set name = 'feed_' ~ config.require('feed').kind %}
    {% if name not in context %}
        {{ exceptions.raise_compiler_error(
            model.name ~ ": feed " ~ config.get('feed').kind ~ " is unknown. The kinds stand in macros/feeds/feed.sql."
        ) }}
    {% endif %}
    {% do return(context[name](part, relation, start, call)) %}
{% endmacro %}
