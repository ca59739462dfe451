import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;

public class Buoy {
    record Reading(String where, int metres) {}

    static String said(Object reading) {
        return switch (reading) {
            case Reading(String where, int metres) when metres > 2 -> where + " is rough on " + Runtime.version().feature();
            default -> "calm";
        };
    }

    public static void main(String[] arguments) throws Exception {
        HttpServer server = HttpServer.create(new InetSocketAddress(Integer.parseInt(System.getenv("PORT"))), 0);
        server.createContext("/", exchange -> {
            byte[] body = said(new Reading("Dogger", 3)).getBytes();
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.start();
    }
}
