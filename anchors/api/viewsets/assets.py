"""Pictures."""

from __future__ import annotations

from django.db.models import QuerySet
from django.http import FileResponse, HttpResponse
from django.http.response import HttpResponseBase
from rest_framework.decorators import action
from rest_framework.request import Request
from rest_framework.response import Response

from anchors.api import schema, serializers
from anchors.models import Anchor, Asset
from anchors.services.assets import delete_asset
from config.api import errors
from config.api.responses import matches_etag
from config.api.viewsets import AnyAccept, ApiViewSet
from config.storage import download_url, storage


@schema.anchor_assets
class AnchorAssetViewSet(ApiViewSet[Anchor]):
    lookup_url_kwarg = "anchor_id"

    def get_queryset(self) -> QuerySet[Anchor]:
        return Anchor.objects.visible_to(self.request.user).select_related("instruction")

    def destroy(self, request: Request, anchor_id: str, asset_id: str) -> Response:
        deleted = delete_asset(anchor=self.get_object(), user=request.user, asset_id=asset_id)
        return Response(serializers.AssetDeletionSerializer(deleted).data)


@schema.assets
class AssetViewSet(ApiViewSet[Asset]):
    lookup_url_kwarg = "asset_id"
    content_negotiation_class = AnyAccept

    def get_queryset(self) -> QuerySet[Asset]:
        return Asset.objects.visible_to(self.request.user).filter(is_concealed=False)

    @action(detail=True)
    def content(self, request: Request, asset_id: str) -> HttpResponseBase:
        asset = self.get_object()
        etag = f'"{asset.checksum_sha256}"'
        cached = {"Cache-Control": "private, max-age=31536000, immutable", "ETag": etag}
        if matches_etag(request, etag):
            return HttpResponse(status=304, headers=cached)
        return _redirect(asset) if storage().is_written_by_clients else _file(asset, cached)


def _redirect(asset: Asset) -> HttpResponseBase:
    url, _ = download_url(asset.uri, filename=f"{asset.pk}", mime_type=asset.mime_type)
    return HttpResponse(status=302, headers={"Location": url, "Cache-Control": "no-store"})


def _file(asset: Asset, headers: dict[str, str]) -> HttpResponseBase:
    try:
        file = storage().open(asset.uri)
    except FileNotFoundError as error:
        raise errors.not_found() from error
    return FileResponse(file, content_type=asset.mime_type, headers=headers)
