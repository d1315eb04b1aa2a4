"""Measuring embedders and rankings: data sets, metrics, reports."""
