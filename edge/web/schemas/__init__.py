"""What the API takes and gives. Public: members are added, never renamed or given another meaning.

Amounts are whole rials. Instants are RFC 3339 in UTC. Card numbers exist only masked.
"""
