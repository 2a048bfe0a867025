"""Tags of the history's pages; what they render is `reports.row_renderer`."""

from django import template

from reports import row_renderer

register = template.Library()
register.simple_tag(row_renderer.metric_help)
register.simple_tag(row_renderer.dimension_options)
register.simple_tag(row_renderer.choices)
register.simple_tag(row_renderer.groups)
register.simple_tag(row_renderer.rows, takes_context=True)
