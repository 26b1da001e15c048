"""Which trials a sweep has: values by samplers, on this machine alone or shared by several."""
