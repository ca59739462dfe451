package harbour;

import jakarta.ws.rs.GET;
import jakarta.ws.rs.Path;
import jakarta.ws.rs.PathParam;

@Path("/locks/{name}")
public class Lock {
    @GET
    public String state(@PathParam("name") String name) {
        return name + " lock is open";
    }
}
