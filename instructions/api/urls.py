from __future__ import annotations

from config.api.routers import ApiRouter
from instructions.api.viewsets import InstructionViewSet

router = ApiRouter()
router.register("instructions", InstructionViewSet, basename="instruction")

urlpatterns = router.urls
