"""CASE served: the frameworks that a district's mappings stand on, published strictly by the standard's schema.

Source: 1EdTech CASE 1.1 (OpenAPI, final release) and CASE 1.0.
"""
