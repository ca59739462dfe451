package lighthouse;

import com.sun.net.httpserver.HttpServer;
import java.io.InputStream;
import java.net.InetSocketAddress;

public final class Main {
    public static void main(String[] arguments) throws Exception {
        int port = Integer.parseInt(System.getenv("PORT"));
        HttpServer server = HttpServer.create(new InetSocketAddress(port), 0);
        server.createContext("/", exchange -> {
            try (InputStream light = Main.class.getResourceAsStream("/light.txt")) {
                exchange.sendResponseHeaders(200, 0);
                light.transferTo(exchange.getResponseBody());
            }
            exchange.close();
        });
        server.start();
    }
}
