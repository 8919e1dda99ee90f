from __future__ import annotations

from config.api.routers import ApiRouter, DetailRouter
from instructions.api.viewsets import InstructionViewSet, RegenerateTaskViewSet

router = ApiRouter()
router.register("instructions", InstructionViewSet, basename="instruction")
tasks = DetailRouter()
tasks.register("tasks", RegenerateTaskViewSet, basename="task")

urlpatterns = [*router.urls, *tasks.urls]
