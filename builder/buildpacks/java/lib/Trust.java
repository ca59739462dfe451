import java.io.FileInputStream;
import java.io.FileOutputStream;
import java.io.InputStream;
import java.io.OutputStream;
import java.security.KeyStore;
import java.security.cert.Certificate;
import java.security.cert.CertificateFactory;

/** Writes the certificates of a PEM bundle into a PKCS #12 trust store: Trust BUNDLE STORE. */
public class Trust {
    public static void main(String[] arguments) throws Exception {
        KeyStore store = KeyStore.getInstance("PKCS12");
        store.load(null, null);
        int number = 0;
        try (InputStream bundle = new FileInputStream(arguments[0])) {
            for (Certificate each : CertificateFactory.getInstance("X.509").generateCertificates(bundle)) {
                store.setCertificateEntry("ca-" + number++, each);
            }
        }
        try (OutputStream target = new FileOutputStream(arguments[1])) {
            store.store(target, "changeit".toCharArray());
        }
    }
}
