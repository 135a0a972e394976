"""The whole journal: verified, copied, given away, its key renewed, closed."""
