"""The terminals' API, version 1."""

from django.urls import path, re_path, register_converter

from pos_api.converters import IdentifierConverter
from pos_api.views.activations import ActivationsView
from pos_api.views.batches import BatchDetail, BatchUpload
from pos_api.views.fallback import NotFoundView
from pos_api.views.shifts import ShiftClose, ShiftDetail
from pos_api.views.store import StoreOrderByNumber, StoreOrderDetail, StoreOrders
from pos_api.views.terminal import TerminalDetail, TerminalHeartbeat, TerminalToken

register_converter(IdentifierConverter, "identifier")

urlpatterns = [
    path("activations", ActivationsView.as_view(), name="activations"),
    path("terminal", TerminalDetail.as_view(), name="terminal"),
    path("terminal/heartbeat", TerminalHeartbeat.as_view(), name="heartbeat"),
    path("terminal/token", TerminalToken.as_view(), name="token"),
    path("store/orders", StoreOrders.as_view(), name="store-orders"),
    path("store/orders/by-number", StoreOrderByNumber.as_view(), name="store-order-by-number"),
    path("store/orders/<identifier:order_id>", StoreOrderDetail.as_view(), name="store-order"),
    path("shifts/<identifier:shift_id>", ShiftDetail.as_view(), name="shift"),
    path("shifts/<identifier:shift_id>/close", ShiftClose.as_view(), name="shift-close"),
    path("shifts/<identifier:shift_id>/batches/<identifier:batch_id>", BatchUpload.as_view(), name="batch-upload"),
    path("batches/<identifier:batch_id>", BatchDetail.as_view(), name="batch"),
    path("", NotFoundView.as_view()),
    re_path(".*", NotFoundView.as_view()),
]
