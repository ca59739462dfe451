from django.http import HttpRequest, HttpResponse
from django.templatetags.static import static
from django.urls import path


def home(request: HttpRequest) -> HttpResponse:
    return HttpResponse(static("style.css"))


urlpatterns = [path("", home)]
