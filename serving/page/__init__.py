"""The page that people look at: HTML, CSS, modules of JavaScript, and words in three languages; no build step.

Here: the files, and what serves them. Not here: numbers. The page asks the same endpoints as any other client and adds
nothing to what they answer. Charts are drawn by plotly's JavaScript, as it lies in the installed package `plotly`.
Others use: `page_routes`.
"""

from serving.page.routes import page_routes, wants_html, whole_page

__all__ = ["page_routes", "wants_html", "whole_page"]
