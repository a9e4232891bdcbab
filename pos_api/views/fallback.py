"""Every other address below `/api/v1/` answers with a problem, not with a page."""

from drf_spectacular.utils import extend_schema
from rest_framework.request import Request
from rest_framework.views import APIView

from pos_api.problems import Problem


@extend_schema(exclude=True)
class NotFoundView(APIView):
    """Nothing is at this address, with or without a credential."""

    authentication_classes = []
    permission_classes = []

    def initial(self, request: Request, *args: object, **kwargs: object) -> None:
        raise Problem("not-found", "There is no such address in version 1 of the protocol.")
