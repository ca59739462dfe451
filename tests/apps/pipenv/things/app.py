import falcon


class Things:
    def on_get(self, request: falcon.Request, response: falcon.Response) -> None:
        response.media = {"things": 3}


application = falcon.App()
application.add_route("/things", Things())
