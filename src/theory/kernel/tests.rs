//! Second moments of any activation against closed forms and other rules.
