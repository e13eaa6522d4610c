# Was Bürgerinnen und Bürger im Videogespräch und beim Testen ihrer Geräte lesen. Die Besucherseite lädt
# diese Datei erst, wenn sie gebraucht wird.

## Kamera und Mikrofon testen

check-intro = Ihr Bild und Ihr Ton bleiben beim Test auf Ihrem Gerät.
check-start = Kamera und Mikrofon einschalten
check-asking = Ihr Browser fragt jetzt vielleicht, ob er Kamera und Mikrofon benutzen darf. Bitte erlauben Sie es.
check-again = Noch einmal versuchen
check-preview = Ihr Kamerabild
check-no-preview = Kein Kamerabild
check-camera = Kamera
check-microphone = Mikrofon
check-speaker = Lautsprecher
check-level = Sprechen Sie bitte. Der Balken zeigt, wie laut Ihr Mikrofon Sie hört.
check-heard = Ihr Mikrofon hört Sie.
check-tone = Testton abspielen
check-tone-hint = Wenn Sie drei Töne hören, ist Ihr Lautsprecher in Ordnung.
check-camera-ready = Ihre Kamera ist bereit.
check-microphone-ready = Ihr Mikrofon ist bereit.
check-camera-denied = Die Kamera ist für diese Seite nicht erlaubt.
check-microphone-denied = Das Mikrofon ist für diese Seite nicht erlaubt.
check-denied-help = So erlauben Sie es: Tippen Sie auf das Zeichen links neben der Adresse dieser Seite. Stellen Sie Kamera und Mikrofon auf „Zulassen“. Versuchen Sie es dann noch einmal.
check-camera-system = Ihr Gerät erlaubt dem Browser die Kamera nicht.
check-microphone-system = Ihr Gerät erlaubt dem Browser das Mikrofon nicht.
check-system-help = Öffnen Sie die Einstellungen Ihres Geräts, dort den Bereich Datenschutz. Erlauben Sie dem Browser Kamera und Mikrofon. Versuchen Sie es dann noch einmal.
check-camera-missing = Wir finden keine Kamera.
check-microphone-missing = Wir finden kein Mikrofon.
check-missing-help = Schließen Sie ein Gerät an, und versuchen Sie es noch einmal. Es geht auch ohne.
check-camera-busy = Ein anderes Programm benutzt die Kamera.
check-microphone-busy = Ein anderes Programm benutzt das Mikrofon.
check-busy-help = Schließen Sie andere Programme für Videogespräche. Versuchen Sie es dann noch einmal.
check-camera-unsupported = Ihr Browser kann hier keine Kamera benutzen.
check-microphone-unsupported = Ihr Browser kann hier kein Mikrofon benutzen.
check-unsupported-help = Mit einem neueren Browser klappt es wahrscheinlich. Schreiben können Sie in jedem Fall.
check-camera-unsent = Ihr Bild kommt bei den anderen nicht an. Darum ist die Kamera aus.
check-microphone-unsent = Ihr Ton kommt bei den anderen nicht an. Darum ist das Mikrofon aus.
check-unsent-help = Versuchen Sie es gleich noch einmal. Schreiben können Sie in jedem Fall.
check-result-video = Sie können mit Bild und Ton sprechen.
check-result-audio = Sie können mit Ton sprechen.
check-result-chat = Sie können schreiben. Das geht immer, auch ohne Kamera und Mikrofon.
check-mode = Wie möchten Sie teilnehmen?
check-mode-hint = Das können Sie jederzeit ändern.
check-mode-video = Mit Bild und Ton
check-mode-audio = Nur mit Ton
check-mode-chat = Nur schreiben
check-change = Geräte oder Art der Teilnahme ändern
check-blur-hint = Das gilt im Videogespräch. Hier im Test sehen Sie Ihr Bild noch scharf.
check-blurred = Im Videogespräch ist Ihr Hintergrund unscharf.

## Videogespräch

call-heading = Videogespräch
call-joining = Sie werden verbunden …
call-alone = Aus dem Büro ist noch niemand im Videogespräch. Bitte bleiben Sie dran. Schreiben können Sie schon.
call-together = Sie sind verbunden mit { $names }.
call-lost = Die Verbindung ist unterbrochen. Wir verbinden Sie von selbst wieder.
call-back = Die Verbindung ist wieder da.
call-failed = Das Videogespräch kommt nicht zustande.
call-failed-text = Schreiben Sie uns bitte hier im Gespräch. Sie können es auch noch einmal versuchen.
call-elsewhere = Sie sprechen in einem anderen Fenster.
call-elsewhere-text = Ihr Videogespräch ist in einem anderen Fenster oder auf einem anderen Gerät offen.
call-here = Hier weiter sprechen
call-retry = Noch einmal versuchen
call-without = Ohne Video weiter
call-sound-blocked = Ihr Browser hält den Ton noch zurück.
call-sound-play = Ton einschalten

call-people = Personen im Videogespräch
call-you = Sie
call-person-expected = { $name } kommt dazu …
call-camera-off = Kamera aus
call-sound-off = Ton aus
call-speaking = spricht

call-controls = Steuerung des Videogesprächs
call-microphone = Mikrofon
call-camera = Kamera
call-on = an
call-off = aus
call-microphone-is-on = Mikrofon an. Man hört Sie.
call-microphone-is-off = Mikrofon aus. Man hört Sie nicht.
call-camera-is-on = Kamera an. Man sieht Sie.
call-camera-is-off = Kamera aus. Man sieht Sie nicht.
call-show = Zeigen
call-more = Mehr
call-hang-up = Auflegen

## Etwas zeigen

show-heading = Was möchten Sie zeigen?
show-screen = Bildschirm teilen
show-screen-hint = Sie wählen gleich ein Fenster oder den ganzen Bildschirm.
show-paper = Dokument mit der Kamera zeigen
show-paper-hint = Legen Sie das Papier flach hin, bei gutem Licht.
show-file = Foto oder PDF zeigen
show-file-hint = Die Datei bleibt auf Ihrem Gerät. Die anderen sehen nur das Bild.
show-file-opening = Ihre Datei wird geöffnet …
show-file-failed = Diese Datei lässt sich nicht zeigen. Bitte wählen Sie ein Foto oder ein PDF. Sie können die Datei auch unter „Nachrichten“ senden.
show-file-locked = Dieses PDF lässt sich nur mit einem Passwort öffnen. Speichern Sie es bitte ohne Passwort. Oder öffnen Sie es auf Ihrem Gerät und teilen Sie Ihren Bildschirm.
show-failed = Das lässt sich gerade nicht zeigen. Vielleicht hat Ihr Browser es nicht erlaubt.
showing-screen = Sie teilen Ihren Bildschirm
showing-paper = Sie zeigen ein Dokument
showing-photo = Sie zeigen ein Foto
showing-pdf = Sie zeigen ein PDF
showing-pages = Seiten
showing-page = Seite { $page } von { $count }
showing-page-failed = Diese Seite lässt sich nicht zeigen. Die anderen sehen weiter Seite { $page }.
showing-back = Vorige Seite
showing-on = Nächste Seite
showing-text = Alle im Gespräch sehen es.
showing-stop = Nicht mehr zeigen
showing-preview = So sehen es die anderen
showing-torch = Licht
showing-ended = Sie zeigen nichts mehr.
shown-by = { $name } zeigt etwas
shown-zoom-in = Größer
shown-zoom-out = Kleiner
shown-zoom = { $percent } Prozent
shown-fullscreen = Ganzer Bildschirm

## Einstellungen im Gespräch

more-heading = Einstellungen
more-device-default = Vom Gerät gewählt
more-camera-failed = Diese Kamera funktioniert gerade nicht. Ihr Bild kommt von einer anderen.
more-microphone-failed = Dieses Mikrofon funktioniert gerade nicht. Ihr Ton kommt von einem anderen.
more-speaker-failed = Dieser Lautsprecher funktioniert gerade nicht. Der Ton kommt aus einem anderen.
more-saving = Nur Ton, ohne Bilder
more-saving-hint = Spart Daten und hilft bei schwachem Netz.
more-live-text = Echtzeit-Text
more-live-text-hint = Wer es lesen kann, sieht Ihre Nachricht schon, während Sie tippen. Das Programm im Büro kann es vielleicht nicht.
more-blur = Hintergrund unscharf machen
more-blur-hint = Andere sehen nur Sie. Das Bild bleibt dafür auf Ihrem Gerät. Beim ersten Mal werden etwa 3 Megabyte geladen. Auf langsamen Geräten kann das Bild ruckeln.
blur-loading = Der unscharfe Hintergrund wird vorbereitet …
blur-blurred = Ihr Hintergrund ist jetzt unscharf.
blur-clear = Ihr Hintergrund ist wieder zu sehen.
blur-failed = Der Hintergrund lässt sich gerade nicht unscharf machen. Ihr Bild bleibt, wie es war. Das Gespräch geht weiter.
blur-hidden = Der Hintergrund lässt sich gerade nicht unscharf machen. Darum ist Ihre Kamera noch aus. Sie können sie trotzdem einschalten. Das Gespräch geht weiter.
more-pip = Bild in kleinem Fenster
more-keys = Tasten: Alt und M für das Mikrofon, Alt und K für die Kamera, Alt und A zum Auflegen.

quality-excellent = Ihre Verbindung ist sehr gut.
quality-good = Ihre Verbindung ist gut.
quality-poor = Ihre Verbindung ist schwach. Gehen Sie näher an Ihr WLAN-Gerät oder schließen Sie andere Programme.
quality-lost = Ihre Verbindung ist unterbrochen.
quality-unknown = Wir prüfen Ihre Verbindung noch.
saving-on = Es gibt nur Ton, keine Bilder.
saving-why = Ihre Verbindung ist schwach. Ohne Bilder verstehen Sie sich besser.
saving-end = Bilder wieder einschalten
