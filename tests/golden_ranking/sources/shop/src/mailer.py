"""Mails to customers."""

import smtplib
import time
from email.message import EmailMessage


def send_order_confirmation(order, address, host="localhost"):
    """Tell a customer that the order has arrived."""
    message = EmailMessage()
    message["To"] = address
    message["Subject"] = f"Order {order.number}"
    message.set_content(order.summary())
    _deliver(message, host)


def _deliver(message, host, attempts=3):
    """Hand a message to the mail server; try again with growing pauses when it is busy."""
    for attempt in range(attempts):
        try:
            with smtplib.SMTP(host) as server:
                server.send_message(message)
            return
        except smtplib.SMTPServerDisconnected:
            time.sleep(2**attempt)
    raise ConnectionError(host)
