from __future__ import annotations

from config.api.routers import DetailRouter
from config.storage.viewsets import DownloadViewSet, UploadViewSet

router = DetailRouter()
router.register("files/uploads", UploadViewSet, basename="upload")
router.register("files", DownloadViewSet, basename="download")
urlpatterns = router.urls
