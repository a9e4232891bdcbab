"""`POST /activations`: a till redeems its code for a token (protocol §3)."""

import msgspec
from django.utils import timezone
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from backoffice.domain.wire.messages import read_activation
from backoffice.ingestion.stores import activate
from pos_api.bodies import open_message
from pos_api.description.schema import ACTIVATED, ACTIVATION, describe
from pos_api.throttling import ActivationThrottle


class ActivationsView(APIView):
    """Open to everybody: the code is the credential."""

    authentication_classes = []
    permission_classes = []
    throttle_classes = [ActivationThrottle]

    @describe(
        "Activate a terminal", request=ACTIVATION, responses={201: ACTIVATED}, problems=["activation-code-invalid"]
    )
    def post(self, request: Request) -> Response:
        with open_message(request) as body:
            message = read_activation(body)
        device = msgspec.to_builtins(message.device)
        return Response(activate(code=message.activation_code, device=device, now=timezone.now()), status=201)
