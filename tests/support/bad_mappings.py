"""A mapping file with a handful of typing errors, as docs/events.md shows it."""

BAD = """\
[order-shipped]
tipe = "com.example.order.shipped"
when = "!data.test.run"
to = "customer.email"

[order-shipped.context]
ordrId = "data.orderId"
"customer.firstName" = "data.customer.firstName"
eta = { from = "data.eta", mising = "skip" }
"""
