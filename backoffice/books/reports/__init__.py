"""Reports that people ask for by name: what each figure is the sum of is in docs/reports.md.

`catalogue` has them all; each is a function from a scope (store or all, first and last business date) to sheets of rows, and
says nothing of how they look. What was sold is added up in `figures`, and kept by day in `keeping`.
"""
