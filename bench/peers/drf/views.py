"""POST /api/public/deals/update_or_create/: what goes in, what comes out."""

from rest_framework import serializers
from rest_framework.request import Request
from rest_framework.response import Response
from rest_framework.views import APIView

from bench.peers.drf.models import Deal, OrderProduct
from bench.peers.drf.upsert import save


class LineSent(serializers.Serializer):
    product_custom_id = serializers.CharField(max_length=100)
    value = serializers.DecimalField(max_digits=18, decimal_places=2)
    currency = serializers.CharField(max_length=3, required=False)
    quantity = serializers.IntegerField(min_value=1)


class DealSent(serializers.Serializer):
    custom_id = serializers.CharField(max_length=100)
    user_custom_id = serializers.CharField(max_length=100)
    name = serializers.CharField(max_length=200)
    stage = serializers.IntegerField()
    status = serializers.IntegerField()
    value = serializers.DecimalField(max_digits=18, decimal_places=2)
    currency = serializers.CharField(max_length=3)
    delivery_cost = serializers.FloatField()
    products_custom_id = serializers.ListField(child=serializers.CharField(max_length=100))
    order_products = LineSent(many=True)


class LineShown(serializers.ModelSerializer):
    class Meta:
        model = OrderProduct
        fields = ("product_id", "product_custom_id", "quantity", "value", "currency")


class DealShown(serializers.ModelSerializer):
    class Meta:
        model = Deal
        fields = (
            *("id", "custom_id", "name", "contact_id", "stage", "status", "value", "currency"),
            *("attributes", "won_at", "lost_at", "created_at", "updated_at"),
        )


class UpdateOrCreate(APIView):
    def post(self, request: Request) -> Response:
        sent = DealSent(data=request.data)
        sent.is_valid(raise_exception=True)
        deal, lines, is_new = save(sent.validated_data, request.auth)
        shown = {**DealShown(deal).data, "order_products": LineShown(lines, many=True).data}
        return Response({**shown, "created": is_new})
